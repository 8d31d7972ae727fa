// SPDX-License-Identifier: Apache-2.0

internal import SQLite
internal import Schemas
internal import SwiftProtobuf

/// The table of users, row by row.
enum UserTable {
  /// In the order that ``user(_:)`` reads them.
  static let columns: SQL =
    "id, email, name, created_at, role, roles, phone_number, email_verified, legacy_field"

  static func user(_ row: borrowing Row) -> User_V1_User {
    var user = User_V1_User()
    user.id = row.text(0)
    user.email = row.text(1)
    user.name = row.text(2)
    user.createdAt = Google_Protobuf_Timestamp(microseconds: row.integer(3))
    user.role = User_V1_UserRole(rawValue: Int(row.integer(4))) ?? .unspecified
    user.roles = RoleList.roles(row.text(5))
    user.phoneNumber = row.text(6)
    user.emailVerified = row.bool(7)
    user.legacyField = row.text(8)
    return user
  }

  static func insert(_ user: User_V1_User, createdAt: Int64, into database: Database) throws(SQLiteError) {
    try database.execute(
      """
      INSERT INTO users (\(columns)) VALUES (\(user.id), \(user.email), \(user.name), \(createdAt), \
      \(user.role.rawValue), \(RoleList.text(user.roles)), \(user.phoneNumber), \(user.emailVerified), \
      \(user.legacyField))
      """)
  }

  static func update(_ user: User_V1_User, in database: Database) throws(SQLiteError) {
    try database.execute(
      """
      UPDATE users SET email = \(user.email), name = \(user.name), role = \(user.role.rawValue), \
      roles = \(RoleList.text(user.roles)), phone_number = \(user.phoneNumber), \
      email_verified = \(user.emailVerified), legacy_field = \(user.legacyField) WHERE id = \(user.id)
      """)
  }
}
