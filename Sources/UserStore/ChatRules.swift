// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Schemas

/// What may be said, and where.
public enum ChatRules {
  /// In bytes of UTF-8.
  static let maxRoomLength = 64
  static let maxSenderLength = 100
  static let maxTextLength = 4_096

  /// Everything that is wrong with a message.
  public static func violations(in message: User_V1_ChatMessage) -> [FieldViolation] {
    var violations: [FieldViolation] = []
    func check(_ field: String, _ text: String, maxLength: Int) {
      if text.isEmpty {
        violations.append(FieldViolation(field, "is required"))
      } else if text.utf8.count > maxLength {
        violations.append(FieldViolation(field, "has at most \(maxLength) bytes"))
      }
    }
    check("room", message.room, maxLength: maxRoomLength)
    check("sender", message.sender, maxLength: maxSenderLength)
    check("text", message.text, maxLength: maxTextLength)
    for (field, text) in [("room", message.room), ("sender", message.sender)] where text.safeForDisplay != text {
      violations.append(FieldViolation(field, "has no control characters"))
    }
    return violations
  }
}
