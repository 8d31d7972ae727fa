// SPDX-License-Identifier: Apache-2.0

/// The finer roles of a user as one column keeps them: each between line feeds, `\neditor\nauditor\n`, so that a search
/// for `\neditor\n` finds exactly that one. No role has a line feed in it.
enum RoleList {
  static func text(_ roles: [String]) -> String {
    roles.isEmpty ? "" : "\n" + roles.joined(separator: "\n") + "\n"
  }

  static func roles(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  /// What the column of a user with this role contains.
  static func entry(_ role: String) -> String { "\n" + role + "\n" }
}
