// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Schemas

/// The fields of a user that a client may set, by their names in the schema.
enum UserField: String, CaseIterable {
  case email
  case name
  case role
  case roles
  case phoneNumber = "phone_number"
  case emailVerified = "email_verified"
  case legacyField = "legacy_field"

  /// Fields that the server alone sets. A mask may name them and they are ignored (AIP-203).
  private static let outputOnly: Set<String> = ["id", "created_at"]

  /// The fields that an update changes (AIP-134): without a mask the ones that have a value, with `*` all of them.
  ///
  /// - Throws: a violation for each path of the mask that names nothing.
  static func selected(by mask: [String], in user: User_V1_User) throws(MaskError) -> Set<UserField> {
    if mask.isEmpty { return Set(allCases.filter { $0.isPopulated(in: user) }) }
    if mask == ["*"] { return Set(allCases) }
    var fields: Set<UserField> = []
    var violations: [FieldViolation] = []
    for path in mask.prefix(maxPaths + 1) where !outputOnly.contains(path) {
      if let field = UserField(rawValue: path) {
        fields.insert(field)
      } else {
        let name = path.shortened(toUTF8Count: 40).quoted
        violations.append(FieldViolation("update_mask", "there is no field \(name) that can be updated"))
      }
    }
    if mask.count > maxPaths { violations = [FieldViolation("update_mask", "has at most \(maxPaths) paths")] }
    guard violations.isEmpty else { throw MaskError(violations: violations) }
    return fields
  }

  /// More paths than fields make no sense; a few may stand twice.
  static let maxPaths = 64

  private func isPopulated(in user: User_V1_User) -> Bool {
    switch self {
    case .email: !user.email.isEmpty
    case .name: !user.name.isEmpty
    case .role: user.role != .unspecified
    case .roles: !user.roles.isEmpty
    case .phoneNumber: !user.phoneNumber.isEmpty
    case .emailVerified: user.emailVerified
    case .legacyField: !user.legacyField.isEmpty
    }
  }

  /// Gives the field in one user the value that it has in another.
  func copy(from source: User_V1_User, to target: inout User_V1_User) {
    switch self {
    case .email: target.email = source.email
    case .name: target.name = source.name
    case .role: target.role = source.role
    case .roles: target.roles = source.roles
    case .phoneNumber: target.phoneNumber = source.phoneNumber
    case .emailVerified: target.emailVerified = source.emailVerified
    case .legacyField: target.legacyField = source.legacyField
    }
  }
}

/// Paths of a mask that name nothing.
struct MaskError: Error {
  let violations: [FieldViolation]
}
