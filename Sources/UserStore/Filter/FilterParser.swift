// SPDX-License-Identifier: Apache-2.0

/// What a filter says.
indirect enum FilterExpression: Equatable {
  case and([FilterExpression])
  case or([FilterExpression])
  case not(FilterExpression)
  case restriction(FilterRestriction)
}

/// One comparison.
struct FilterRestriction: Equatable {
  /// The field's name: always a word.
  let field: String
  let fieldColumn: Int
  let comparator: FilterComparator
  let comparatorColumn: Int
  /// A word or a text.
  let value: FilterToken
}

/// Reads the core of AIP-160. Its grammar, in which `OR` binds tighter than `AND`, as it does there:
///
///     filter      = [ conjunction ] ;
///     conjunction = disjunction { "AND" disjunction } ;
///     disjunction = term { "OR" term } ;
///     term        = "NOT" term | "(" conjunction ")" | restriction ;
///     restriction = word comparator ( word | string ) ;
struct FilterParser {
  /// A filter has at most so many bytes of UTF-8: it is part of every request for a page.
  static let maxLength = 2_048
  /// Parentheses and `NOT`s nest at most so deep: each is a call in a call.
  static let maxDepth = 32
  /// At most so many comparisons: each is work for each row.
  static let maxRestrictions = 64

  private var lexer: FilterLexer
  private var token: FilterToken
  private var restrictions = 0

  private init(_ text: String) throws(FilterError) {
    lexer = FilterLexer(text)
    token = try lexer.next()
  }

  /// The expression of a text; nil for one that is empty or blank.
  static func parse(_ text: String) throws(FilterError) -> FilterExpression? {
    guard text.utf8.count <= maxLength else {
      throw FilterError(1, "a filter has at most \(maxLength) bytes")
    }
    var parser = try FilterParser(text)
    guard parser.token.kind != .end else { return nil }
    let expression = try parser.conjunction(depth: 0)
    guard parser.token.kind == .end else {
      throw FilterError(parser.token.column, "expected AND, OR or the end, not \(parser.token.name)")
    }
    return expression
  }

  private mutating func conjunction(depth: Int) throws(FilterError) -> FilterExpression {
    var parts = [try disjunction(depth: depth)]
    while token.kind == .word("AND") {
      try advance()
      parts.append(try disjunction(depth: depth))
    }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func disjunction(depth: Int) throws(FilterError) -> FilterExpression {
    var parts = [try term(depth: depth)]
    while token.kind == .word("OR") {
      try advance()
      parts.append(try term(depth: depth))
    }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func term(depth: Int) throws(FilterError) -> FilterExpression {
    guard depth < Self.maxDepth else {
      throw FilterError(token.column, "parentheses and NOTs nest at most \(Self.maxDepth) deep")
    }
    switch token.kind {
    case .word("NOT"):
      try advance()
      return .not(try term(depth: depth + 1))
    case .open:
      let start = token.column
      try advance()
      let expression = try conjunction(depth: depth + 1)
      guard token.kind == .close else {
        throw FilterError(token.column, "expected \")\" for the \"(\" at column \(start), not \(token.name)")
      }
      try advance()
      return expression
    default: return .restriction(try restriction())
    }
  }

  private mutating func restriction() throws(FilterError) -> FilterRestriction {
    guard restrictions < Self.maxRestrictions else {
      throw FilterError(token.column, "a filter has at most \(Self.maxRestrictions) comparisons")
    }
    restrictions += 1
    let first = token
    guard case .word(let field) = first.kind, !["AND", "OR"].contains(field) else {
      throw FilterError(first.column, "expected a field, not \(first.name)")
    }
    try advance()
    guard case .comparator(let comparator) = token.kind else {
      throw FilterError(token.column, "expected a comparison (= != < <= > >= :), not \(token.name)")
    }
    let comparatorColumn = token.column
    try advance()
    let value = token
    switch value.kind {
    case .word, .string: break
    default: throw FilterError(value.column, "expected a value, not \(value.name)")
    }
    try advance()
    return FilterRestriction(
      field: field, fieldColumn: first.column, comparator: comparator, comparatorColumn: comparatorColumn,
      value: value)
  }

  private mutating func advance() throws(FilterError) { token = try lexer.next() }
}
