// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Schemas

/// What the values of a user must be like.
enum UserRules {
  /// RFC 5321 section 4.5.3.1: a path has 256 bytes, two of which are its brackets.
  static let maxEmailLength = 254
  /// RFC 5321 section 4.5.3.1.1.
  static let maxLocalPartLength = 64
  /// In Unicode scalars.
  static let maxNameLength = 200
  /// ITU-T E.164 section 6.2.1.
  static let phoneDigits = 3...15
  /// Digits and what people put between them.
  static let maxPhoneLength = 32
  static let maxRoles = 32
  static let maxRoleLength = 64
  static let maxLegacyFieldLength = 1_024

  /// What is wrong with the fields of a user that `paths` names; `user.` stands before each.
  static func violations(in user: User_V1_User, paths: Set<UserField>) -> [FieldViolation] {
    UserField.allCases.filter { paths.contains($0) }.compactMap { field in
      complaint(about: field, in: user).map { FieldViolation("user." + field.rawValue, $0) }
    }
  }

  private static func complaint(about field: UserField, in user: User_V1_User) -> String? {
    switch field {
    case .email: email(user.email)
    case .name: name(user.name)
    case .role: role(user.role)
    case .roles: roles(user.roles)
    case .phoneNumber: phoneNumber(user.phoneNumber)
    case .emailVerified: nil
    case .legacyField:
      user.legacyField.utf8.count <= maxLegacyFieldLength ? nil : "has at most \(maxLegacyFieldLength) bytes"
    }
  }

  /// The form that mail systems agree on: a dot-atom, and a domain name of at least two labels (RFC 5321 section 4.1.2
  /// without quoted strings and address literals). ASCII, so that comparing without regard to case means one thing.
  static func email(_ text: String) -> String? {
    guard !text.isEmpty else { return "is required" }
    guard text.utf8.count <= maxEmailLength else { return "has at most \(maxEmailLength) characters" }
    guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
      return "is written in ASCII; an international domain has a form that begins with xn--"
    }
    let parts = text.utf8.split(separator: 0x40, omittingEmptySubsequences: false)
    guard parts.count == 2, let local = parts.first, let domain = parts.last else { return "has one @" }
    let atoms = local.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard local.count <= maxLocalPartLength, atoms.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isAtom) }) else {
      return "has no valid name before the @"
    }
    let labels = domain.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard labels.count >= 2, labels.allSatisfy(isLabel) else { return "has no valid domain behind the @" }
    return nil
  }

  static func name(_ text: String) -> String? {
    guard !text.allSatisfy(\.isWhitespace) else { return "is required" }
    guard text.unicodeScalars.count <= maxNameLength else { return "has at most \(maxNameLength) characters" }
    return text.safeForDisplay == text ? nil : "has no control characters"
  }

  private static func role(_ role: User_V1_UserRole) -> String? {
    if case .UNRECOGNIZED = role { return "is a role of the schema" }
    return nil
  }

  static func roles(_ roles: [String]) -> String? {
    guard roles.count <= maxRoles else { return "has at most \(maxRoles) entries" }
    guard Set(roles).count == roles.count else { return "has each entry once" }
    let areWords = roles.allSatisfy { role in
      !role.isEmpty && role.utf8.count <= maxRoleLength && role.utf8.allSatisfy(isRoleByte)
    }
    return areWords ? nil : "has entries of 1 to \(maxRoleLength) ASCII letters, digits and . _ : / -"
  }

  static func phoneNumber(_ text: String) -> String? {
    guard !text.isEmpty else { return nil }
    let digits = text.utf8.count { isDigit($0) }
    let isNumber =
      text.utf8.count <= maxPhoneLength && phoneDigits.contains(digits)
      && text.utf8.enumerated().allSatisfy { index, byte in
        isDigit(byte) || [0x20, 0x28, 0x29, 0x2D, 0x2E].contains(byte) || (byte == 0x2B && index == 0)
      }
    return isNumber
      ? nil : "looks like +44 20 7946 0000, with \(phoneDigits.lowerBound) to \(phoneDigits.upperBound) digits"
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }

  /// `atext` of RFC 5322 section 3.2.3.
  private static func isAtom(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
  }

  /// RFC 1123 section 2.1.
  private static func isLabel(_ label: Substring.UTF8View) -> Bool {
    (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
      && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2D }
  }

  private static func isRoleByte(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || [0x2D, 0x2E, 0x2F, 0x3A, 0x5F].contains(byte)
  }
}
