// SPDX-License-Identifier: Apache-2.0

/// The tags of an item of a message set: `repeated group Item = 1 { int32 type_id = 2; bytes message = 3; }`.
enum MessageSetItem {
  static let start: UInt32 = 1 << 3 | 3
  static let number: UInt32 = 2 << 3
  static let content: UInt32 = 3 << 3 | 2
  static let end: UInt32 = 1 << 3 | 4

  /// Where an item stands.
  struct Place {
    /// Where its first tag begins.
    let begin: Int
    /// Where the message around it ends.
    let end: Int
    /// How deep that message is.
    let depth: Int
  }
}
