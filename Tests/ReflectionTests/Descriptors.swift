// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// `file.proto`: a service, nested messages, an enum, a oneof and two extensions, importing `base.proto`.
let userFile = message([
  (1, "user.proto"), (3, "base.proto"), (3, "absent.proto"),
  (
    4,
    [
      (1, "User"), (2, [(1, "id"), (3, 1)]), (8, [(1, "choice")]),
      (3, [(1, "Address"), (2, [(1, "street")]), (3, [(1, "Deep")]), (4, [(1, "Kind"), (2, [(1, "HOME")])])]),
      (6, [(1, "inner_extension"), (2, ".base.Extensible"), (3, 101)]),
    ]
  ),
  (5, [(1, "Role"), (2, [(1, "ROLE_UNSPECIFIED")])]),
  (6, [(1, "UserService"), (2, [(1, "GetUser")]), (2, [(1, "ListUsers")])]),
  (7, [(1, "outer_extension"), (2, ".base.Extensible"), (3, 100)]),
  // The package stands behind what it names, as the wire allows.
  (2, "user.v1"),
])

let baseFile = message([
  (1, "base.proto"), (2, "base"), (3, "deepest.proto"), (4, [(1, "Extensible")]), (4, [(1, "Plain")]),
])

let deepestFile = message([(1, "deepest.proto"), (3, "base.proto"), (4, [(1, "Global")]), (6, [(1, "AService")])])
