// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A word or sign of a filter.
enum SocketFilterToken: Equatable {
  case open
  case close
  case not
  case and
  case or
  case comparison(Comparison)
  case word(String)

  enum Comparison { case equal, notEqual, less, atMost, greater, atLeast }

  /// The tokens of a text: signs need no space around them.
  static func all(in text: String) -> [SocketFilterToken] {
    let bytes = Array(text.utf8)
    var tokens: [SocketFilterToken] = []
    var index = 0
    while index < bytes.count {
      let rest = bytes[index...]
      if bytes[index] == 0x20 || (0x09...0x0D).contains(bytes[index]) {
        index += 1
      } else if let (token, length) = sign(rest) {
        tokens.append(token)
        index += length
      } else {
        let end = rest.firstIndex { $0 == 0x20 || (0x09...0x0D).contains($0) || isSign($0) } ?? bytes.count
        tokens.append(named(String(decoding: bytes[index..<end], as: UTF8.self)))
        index = end
      }
    }
    return tokens
  }

  private static func isSign(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x26, 0x28, 0x29, 0x3C, 0x3D, 0x3E, 0x7C: true  // ! & ( ) < = > |
    default: false
    }
  }

  private static func sign(_ bytes: ArraySlice<UInt8>) -> (SocketFilterToken, Int)? {
    let second = bytes.dropFirst().first
    switch bytes.first {
    case 0x28: return (.open, 1)
    case 0x29: return (.close, 1)
    case 0x21: return second == 0x3D ? (.comparison(.notEqual), 2) : (.not, 1)
    case 0x26: return (.and, second == 0x26 ? 2 : 1)
    case 0x7C: return (.or, second == 0x7C ? 2 : 1)
    case 0x3D: return (.comparison(.equal), second == 0x3D ? 2 : 1)
    case 0x3C: return second == 0x3D ? (.comparison(.atMost), 2) : (.comparison(.less), 1)
    case 0x3E: return second == 0x3D ? (.comparison(.atLeast), 2) : (.comparison(.greater), 1)
    default: return nil
    }
  }

  private static func named(_ word: String) -> SocketFilterToken {
    switch word {
    case "and": .and
    case "or": .or
    case "not": .not
    case "eq": .comparison(.equal)
    case "ne", "neq": .comparison(.notEqual)
    case "lt": .comparison(.less)
    case "le", "leq": .comparison(.atMost)
    case "gt": .comparison(.greater)
    case "ge", "geq": .comparison(.atLeast)
    default: .word(word)
    }
  }
}

/// Reads a filter's tokens by the grammar that stands at ``SocketFilter``.
struct SocketFilterParser {
  private let tokens: [SocketFilterToken]
  private var index = 0
  private var testCount = 0

  init(_ tokens: [SocketFilterToken]) { self.tokens = tokens }

  var isAtEnd: Bool { index == tokens.count }

  /// The states at the beginning; nil where there are none.
  mutating func states() throws(SocketFilterError) -> SocketStates? {
    var states: SocketStates?
    while case .word(let word)? = next, word == "state" || word == "exclude" || word == "excl" {
      index += 1
      guard let name = takeWord() else { throw SocketFilterError(line: "behind \(word.quoted) stands a state") }
      guard let named = SocketStates(named: name) else {
        throw SocketFilterError(line: "\(name.quoted) is no state: write established, listening, time-wait, all …")
      }
      if word == "state" {
        states = (states ?? []).union(named)
      } else {
        states = (states ?? .all).subtracting(named)
      }
    }
    return states
  }

  /// An expression that goes up to the end.
  mutating func whole(_ interface: (String) -> UInt32?) throws(SocketFilterError) -> SocketCondition {
    let condition = try expression(interface, depth: 0)
    guard isAtEnd else { throw SocketFilterError(line: "the filter has a ) without its (") }
    return condition
  }

  private var next: SocketFilterToken? { index < tokens.count ? tokens[index] : nil }

  private mutating func take(_ token: SocketFilterToken) -> Bool {
    guard next == token else { return false }
    index += 1
    return true
  }

  private mutating func takeWord() -> String? {
    guard case .word(let word)? = next else { return nil }
    index += 1
    return word
  }

  private mutating func takeComparison() -> SocketFilterToken.Comparison? {
    guard case .comparison(let comparison)? = next else { return nil }
    index += 1
    return comparison
  }

  private mutating func expression(
    _ interface: (String) -> UInt32?, depth: Int
  ) throws(SocketFilterError) -> SocketCondition {
    var terms = [try term(interface, depth: depth)]
    while take(.or) { terms.append(try term(interface, depth: depth)) }
    return terms.count == 1 ? terms[0] : .any(terms)
  }

  private mutating func term(
    _ interface: (String) -> UInt32?, depth: Int
  ) throws(SocketFilterError) -> SocketCondition {
    var factors = [try factor(interface, depth: depth)]
    while let next, next != .or, next != .close {
      _ = take(.and)
      factors.append(try factor(interface, depth: depth))
    }
    return factors.count == 1 ? factors[0] : .all(factors)
  }

  private mutating func factor(
    _ interface: (String) -> UInt32?, depth: Int
  ) throws(SocketFilterError) -> SocketCondition {
    guard depth < SocketFilter.maxDepth else {
      throw SocketFilterError(line: "the filter is nested deeper than \(SocketFilter.maxDepth) levels")
    }
    if take(.not) { return .not(try factor(interface, depth: depth + 1)) }
    if take(.open) {
      let inner = try expression(interface, depth: depth + 1)
      guard take(.close) else { throw SocketFilterError(line: "the filter has a ( without its )") }
      return inner
    }
    testCount += 1
    guard testCount <= SocketFilter.maxTests else {
      throw SocketFilterError(line: "the filter has more than \(SocketFilter.maxTests) tests")
    }
    guard let word = takeWord() else {
      throw SocketFilterError(
        line: isAtEnd ? "the filter ends where a test is missing" : "the filter has a sign where a test is missing")
    }
    switch word {
    case "sport": return try port(.source, word)
    case "dport": return try port(.destination, word)
    case "src": return try host(.source, word)
    case "dst": return try host(.destination, word)
    case "dev": return try device(interface)
    case "state", "exclude", "excl": throw SocketFilterError(line: "states stand before all other tests")
    default:
      throw SocketFilterError(line: "\(word.quoted) is no test: write sport, dport, src, dst or dev, or a state first")
    }
  }

  private mutating func port(_ end: SocketEnd, _ word: String) throws(SocketFilterError) -> SocketCondition {
    let comparison = takeComparison() ?? .equal
    guard let text = takeWord() else { throw SocketFilterError(line: "behind \(word.quoted) a port is missing") }
    let digits = text.utf8.first == 0x3A ? text.utf8.dropFirst() : Substring(text).utf8
    guard let number = parseDecimal(digits, atMost: 65_535) else { throw Self.noPort(text) }
    let port = UInt16(number)
    return switch comparison {
    case .equal: .port(end, .equal, port)
    case .notEqual: .not(.port(end, .equal, port))
    case .atLeast: .port(end, .atLeast, port)
    case .less: .not(.port(end, .atLeast, port))
    case .atMost: .port(end, .atMost, port)
    case .greater: .not(.port(end, .atMost, port))
    }
  }

  private mutating func host(_ end: SocketEnd, _ word: String) throws(SocketFilterError) -> SocketCondition {
    let isNegated = try isNegated(word)
    guard let text = takeWord() else { throw SocketFilterError(line: "behind \(word.quoted) an address is missing") }
    let condition = SocketCondition.host(end, try HostPattern(text))
    return isNegated ? .not(condition) : condition
  }

  private mutating func device(_ interface: (String) -> UInt32?) throws(SocketFilterError) -> SocketCondition {
    let isNegated = try isNegated("dev")
    guard let name = takeWord() else { throw SocketFilterError(line: "behind \"dev\" an interface is missing") }
    guard let number = interface(name) else {
      throw SocketFilterError(line: "there is no interface \(name.quoted)")
    }
    return isNegated ? .not(.interface(number)) : .interface(number)
  }

  private mutating func isNegated(_ word: String) throws(SocketFilterError) -> Bool {
    switch takeComparison() {
    case nil, .equal?: return false
    case .notEqual?: return true
    default: throw SocketFilterError(line: "\(word.quoted) is compared by = or != alone")
    }
  }

  fileprivate static func noPort(_ text: String) -> SocketFilterError {
    SocketFilterError(line: "\(text.quoted) is no port: write its number, as :443")
  }
}

extension HostPattern {
  /// Reads the text of `src` and `dst`.
  fileprivate init(_ text: String) throws(SocketFilterError) {
    let bytes = Array(text.utf8)
    var (host, bits, rest): (ArraySlice<UInt8>, ArraySlice<UInt8>?, ArraySlice<UInt8>) = (bytes[...], nil, [])
    if bytes.first == 0x5B {
      guard let end = bytes.firstIndex(of: 0x5D) else {
        throw SocketFilterError(line: "\(text.quoted) has a [ without its ]")
      }
      (host, rest) = (bytes[1..<end], bytes[(end + 1)...])
    } else if let colon = bytes.firstIndex(of: 0x3A), !bytes[(colon + 1)...].contains(0x3A) {
      (host, rest) = (bytes[..<colon], bytes[colon...])
    }
    // The length of a prefix stands in the brackets or behind them.
    if let slash = host.firstIndex(of: 0x2F) {
      (host, bits) = (host[..<slash], host[(slash + 1)...])
    } else if rest.first == 0x2F {
      let end = rest.firstIndex(of: 0x3A) ?? rest.endIndex
      (bits, rest) = (rest[(rest.startIndex + 1)..<end], rest[end...])
    }
    guard rest.isEmpty || rest.first == 0x3A else {
      throw SocketFilterError(line: "\(text.quoted) has more than a prefix and a port behind its ]")
    }
    let port = rest.isEmpty ? nil : rest.dropFirst()
    var number: UInt16?
    if let port, !port.elementsEqual([0x2A]) {
      guard let value = parseDecimal(port, atMost: 65_535) else { throw SocketFilterParser.noPort(text) }
      number = UInt16(value)
    }
    if bits == nil, host.isEmpty && port != nil || host.elementsEqual([0x2A]) {
      self.init(address: nil, length: 0, port: number)
      return
    }
    // With a prefix, the numbers at the end of an IPv4 address may be left out.
    let isShort = bits != nil && !host.isEmpty && !host.contains(0x3A)
    let missing = isShort ? max(0, 3 - host.count { $0 == 0x2E }) : 0
    let full = String(decoding: host, as: UTF8.self) + String(repeating: ".0", count: missing)
    guard let address = IPAddress(full) else {
      throw SocketFilterError(
        line: "\(text.quoted) is no address: write one like 10.0.0.0/8, 10.0.0.1:443 or [::1]:443")
    }
    var length = address.bitWidth
    if let bits {
      guard let number = parseDecimal(bits, atMost: address.bitWidth) else {
        throw SocketFilterError(line: "\(text.quoted) has no length of a prefix from 0 to \(address.bitWidth)")
      }
      length = number
    }
    self.init(address: address, length: length, port: number)
  }
}
