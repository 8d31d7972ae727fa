// SPDX-License-Identifier: Apache-2.0

internal import SQLite

/// A filter of users, read and checked: the core of AIP-160.
///
///     role = ADMIN AND (email : "@example.com" OR NOT email_verified = true)
///
/// `OR` binds tighter than `AND`, as AIP-160 has it. Fields are `id`, `email`, `name`, `phone_number`, `role`, `roles`,
/// `email_verified` and `created_at`. `:` finds a part of a text or one of several roles; `field:*` a value at all.
public struct UserFilter: Sendable {
  /// The text that it was read from.
  public let text: String
  /// The condition; nil where every user fits.
  let condition: SQL?

  /// Every user.
  public static let all = UserFilter(text: "", condition: nil)

  /// Reads a filter.
  ///
  /// - Throws: ``StoreError/invalidArgument(_:)`` for the field `filter`, which names the column.
  public init(_ text: String) throws(StoreError) {
    do throws(FilterError) {
      let expression = try FilterParser.parse(text)
      if let expression {
        self.init(text: text, condition: try FilterCompiler.condition(expression))
      } else {
        self.init(text: text, condition: nil)
      }
    } catch {
      throw .invalidArgument([error.violation])
    }
  }

  private init(text: String, condition: SQL?) {
    self.text = text
    self.condition = condition
  }
}
