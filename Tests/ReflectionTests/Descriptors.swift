// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// Makes a serialized message of parts, each a field's number with a text or a message.
func message(_ parts: [(Int, Part)]) -> [UInt8] {
  var writer = WireWriter()
  for (number, part) in parts {
    switch part {
    case .text(let text): writer.string(text, field: number)
    case .number(let value): writer.int32(value, field: number)
    case .message(let parts): writer.bytes(message(parts), field: number)
    }
  }
  return writer.bytes
}

indirect enum Part: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  case text(String)
  case number(Int32)
  case message([(Int, Part)])
  init(stringLiteral text: String) { self = .text(text) }
  init(integerLiteral value: Int32) { self = .number(value) }
  init(arrayLiteral parts: (Int, Part)...) { self = .message(parts) }
}

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
