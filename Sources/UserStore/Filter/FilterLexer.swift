// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Why a filter cannot be used, and where.
struct FilterError: Error, Equatable {
  /// Where, in Unicode scalars from 1.
  let column: Int
  /// Why: half a sentence, safe to print.
  let description: String

  init(_ column: Int, _ description: String) {
    self.column = column
    self.description = description
  }

  /// The violation that a client reads.
  var violation: FieldViolation { FieldViolation("filter", "column \(column): " + description) }
}

/// What stands between a field and a value (AIP-160).
enum FilterComparator: String {
  case equals = "="
  case notEquals = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case has = ":"
}

/// A piece of a filter.
struct FilterToken: Equatable {
  enum Kind: Equatable {
    /// A name, a keyword or a value without quotes.
    case word(String)
    /// A value in quotes, without them.
    case string(String)
    case comparator(FilterComparator)
    case open
    case close
    case end
  }

  let kind: Kind
  /// Where it begins, in Unicode scalars from 1.
  let column: Int

  /// What an error calls it.
  var name: String {
    switch kind {
    case .word(let text): text.shortened(toUTF8Count: 40).quoted
    case .string: "a text"
    case .comparator(let comparator): comparator.rawValue.quoted
    case .open: "\"(\""
    case .close: "\")\""
    case .end: "the end"
    }
  }
}

/// Cuts a filter into tokens.
struct FilterLexer {
  private var rest: Substring.UnicodeScalarView
  private var column = 1

  init(_ text: String) { rest = Substring(text).unicodeScalars }

  /// The next token; ``FilterToken/Kind/end`` behind the last one, however often it is asked for.
  mutating func next() throws(FilterError) -> FilterToken {
    while let scalar = rest.first, Self.isSpace(scalar) { advance() }
    let start = column
    guard let scalar = rest.first else { return FilterToken(kind: .end, column: start) }
    let kind: FilterToken.Kind
    switch scalar {
    case "(":
      advance()
      kind = .open
    case ")":
      advance()
      kind = .close
    case "\"", "'": kind = .string(try string(quote: scalar))
    case "=", "!", "<", ">", ":": kind = .comparator(try comparator(scalar))
    case _ where Self.isWord(scalar): kind = .word(word())
    default: throw FilterError(start, String(scalar).quoted + " has no meaning here; put texts in quotes")
    }
    return FilterToken(kind: kind, column: start)
  }

  private mutating func advance() {
    rest.removeFirst()
    column += 1
  }

  private mutating func comparator(_ first: Unicode.Scalar) throws(FilterError) -> FilterComparator {
    let start = column
    advance()
    let isDouble = first != ":" && rest.first == "="
    if isDouble { advance() }
    switch (first, isDouble) {
    case ("=", false): return .equals
    case ("!", true): return .notEquals
    case ("<", false): return .less
    case ("<", true): return .lessOrEqual
    case (">", false): return .greater
    case (">", true): return .greaterOrEqual
    case (":", false): return .has
    default: throw FilterError(start, "the comparisons are = != < <= > >= :")
    }
  }

  private mutating func word() -> String {
    var text = String.UnicodeScalarView()
    while let scalar = rest.first, Self.isWord(scalar) {
      text.append(scalar)
      advance()
    }
    return String(text)
  }

  private mutating func string(quote: Unicode.Scalar) throws(FilterError) -> String {
    let start = column
    advance()
    var text = String.UnicodeScalarView()
    while let scalar = rest.first {
      let place = column
      advance()
      switch scalar {
      case quote: return String(text)
      case "\\":
        guard let escaped = rest.first, escaped == "\\" || escaped == "\"" || escaped == "'" else {
          throw FilterError(place, "a backslash stands before a quote or another backslash alone")
        }
        text.append(escaped)
        advance()
      default: text.append(scalar)
      }
    }
    throw FilterError(start, "the text that begins here has no closing quote")
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "+", "@", "*": true
    default: scalar.value >= 0x80
    }
  }
}
