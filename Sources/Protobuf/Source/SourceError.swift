// SPDX-License-Identifier: Apache-2.0

/// Why a .proto file cannot be read.
public struct SourceError: Error, Equatable, Sendable {
  /// The file, as others import it.
  public let file: String
  /// The line, from 1; 0 where it is the file as a whole.
  public let line: Int
  /// The column in bytes, from 1.
  public let column: Int
  /// What is wrong, without a full stop.
  public let reason: String

  init(_ file: String, _ position: SourcePosition, _ reason: String) {
    (self.file, line, column, self.reason) = (file, position.line, position.column, reason)
  }

  /// One line in words: `shop.proto:3:7: a field needs a number`.
  public var message: String { file + (line == 0 ? "" : ":\(line):\(column)") + ": " + reason }
}

/// A place in a source file.
struct SourcePosition: Equatable {
  var line: Int
  var column: Int

  /// The file as a whole.
  static let file = SourcePosition(line: 0, column: 0)
}
