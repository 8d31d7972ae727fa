// SPDX-License-Identifier: Apache-2.0

/// Why a text is no filter.
public struct SocketFilterError: Error, Equatable, Sendable {
  /// What is wrong, in one line without a full stop.
  public let line: String
}

/// Which sockets are meant: the states, then what they must be like.
///
/// ```
/// filter     = *( ("state" / "exclude") STATE ) [ expression ]
/// expression = term *( "or" term )                 also | and ||
/// term       = factor *( [ "and" ] factor )        also & and &&
/// factor     = ("not" / "!") factor / "(" expression ")" / test
/// test       = ("sport" / "dport") [ comparison ] [":"] PORT
///            / ("src" / "dst") [ "=" / "!=" ] HOST
///            / "dev" [ "=" / "!=" ] NAME
/// comparison = "=" / "==" / "eq" / "!=" / "ne" / "<" / "lt" / "<=" / "le" / ">" / "gt" / ">=" / "ge"
/// HOST       = ADDRESS ["/" BITS] [":" PORT] / "*" / ["*"] ":" PORT        an IPv6 address before a port in brackets
/// ```
public struct SocketFilter: Equatable, Sendable {
  /// The states; nil where none are named.
  public let states: SocketStates?
  /// What the sockets must be like; nil where that is all the same.
  public let condition: SocketCondition?

  /// The longest filter in bytes.
  public static let maxLength = 16_384
  /// The most tests in a filter: its program stays below 10,000 bytes, of which an attribute has room for 65,531.
  public static let maxTests = 256
  /// How deep parentheses may be nested, and `not`s follow each other.
  public static let maxDepth = 64

  /// Reads a filter from words, which may be cut anywhere between its own.
  ///
  /// - Parameter interface: the number of the interface with a name; nil where there is none.
  public init(_ words: [String], interface: (String) -> UInt32?) throws(SocketFilterError) {
    guard words.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.maxLength else {
      throw SocketFilterError(line: "the filter is longer than \(Self.maxLength) bytes")
    }
    let tokens = words.flatMap { SocketFilterToken.all(in: $0) }
    var parser = SocketFilterParser(tokens)
    states = try parser.states()
    condition = try parser.isAtEnd ? nil : parser.whole(interface)
  }
}
