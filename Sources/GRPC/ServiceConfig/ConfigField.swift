// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON

/// A value of a service config with the path that leads to it. Types are those of Protobuf's JSON form: `null` is
/// absent, whole numbers may stand in quotes.
struct ConfigField {
  let path: String
  let value: JSONValue

  func error(_ reason: String) -> ServiceConfigError { ServiceConfigError(path, reason) }

  /// A member that is there and not null.
  func member(_ name: String) throws(ServiceConfigError) -> ConfigField? {
    guard case .object = value else { throw error("must be an object") }
    guard let found = value[name], found != .null else { return nil }
    return ConfigField(path: path.isEmpty ? name : path + "." + name, value: found)
  }

  /// A member that must be there.
  func required(_ name: String) throws(ServiceConfigError) -> ConfigField {
    guard let found = try member(name) else { throw error("needs " + name) }
    return found
  }

  /// The members of an object.
  func members() throws(ServiceConfigError) -> [ConfigField] {
    guard case .object(let members) = value else { throw error("must be an object") }
    return members.map { ConfigField(path: path.isEmpty ? $0.name : path + "." + $0.name, value: $0.value) }
  }

  /// The elements of an array.
  func elements() throws(ServiceConfigError) -> [ConfigField] {
    guard case .array(let values) = value else { throw error("must be an array") }
    var fields: [ConfigField] = []
    for (index, value) in values.enumerated() {
      fields.append(ConfigField(path: path + "[" + String(index) + "]", value: value))
    }
    return fields
  }

  func string() throws(ServiceConfigError) -> String {
    guard case .string(let text) = value else { throw error("must be a string") }
    return text
  }

  func boolean() throws(ServiceConfigError) -> Bool {
    guard case .boolean(let value) = value else { throw error("must be true or false") }
    return value
  }

  /// A whole number within a range, which errors name.
  func integer(_ range: ClosedRange<Int>) throws(ServiceConfigError) -> Int {
    var found: Int?
    switch value {
    case .number(let number): found = number.int64.flatMap { Int(exactly: $0) }
    case .string(let text): found = parseDecimal(text.utf8)
    default: break
    }
    guard let found, range.contains(found) else {
      let most = range.upperBound == .max ? "" : " and " + String(range.upperBound) + " at most"
      throw error("must be an integer, " + String(range.lowerBound) + " at least" + most)
    }
    return found
  }

  /// A number above zero.
  func positive() throws(ServiceConfigError) -> Double {
    guard case .number(let number) = value, let double = number.double, double > 0 else {
      throw error("must be a number above 0")
    }
    return double
  }

  /// A time in nanoseconds, zero at least.
  func duration() throws(ServiceConfigError) -> Int64 {
    guard let time = JSONDuration.parse(try string()), time >= 0 else {
      throw error("must be a duration in seconds, as in \"1.5s\"")
    }
    return time
  }

  /// A time in nanoseconds above zero.
  func positiveDuration() throws(ServiceConfigError) -> Int64 {
    let time = try duration()
    guard time > 0 else { throw error("must be longer than 0s") }
    return time
  }

  /// Status codes by number or by name in either case.
  func codes() throws(ServiceConfigError) -> Set<StatusCode> {
    var codes: Set<StatusCode> = []
    for element in try elements() {
      guard let code = element.code else { throw element.error("is no status code") }
      codes.insert(code)
    }
    return codes
  }

  private var code: StatusCode? {
    let known = (0...16).map { StatusCode(rawValue: $0) }
    switch value {
    case .number(let number):
      guard let number = number.int64 else { return nil }
      return known.first { Int64($0.rawValue) == number }
    case .string(let text): return known.first { $0.constantName.equalsIgnoringASCIICase(text) }
    default: return nil
    }
  }
}

/// Durations as Protobuf's JSON form has them.
enum JSONDuration {
  /// The longest duration that the format knows, in seconds: ten thousand years.
  private static let limit = 315_576_000_000

  /// Nanoseconds behind `1s`, `-0.25s` or `1.000000001s`; nil for what is none. Times beyond 292 years are that long.
  static func parse(_ text: String) -> Int64? {
    guard text.utf8.last == 0x73 else { return nil }
    var rest = text.utf8.dropLast()
    let isNegative = rest.first == 0x2D
    if isNegative { rest = rest.dropFirst() }
    let parts = rest.split(separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
    guard let seconds = parseDecimal(parts[0], atMost: limit) else { return nil }
    var nanoseconds: Int64 = 0
    if parts.count == 2 {
      guard (1...9).contains(parts[1].count), let fraction = parseDecimal(parts[1]) else { return nil }
      nanoseconds = Int64(fraction)
      for _ in parts[1].count..<9 { nanoseconds *= 10 }
    }
    let (product, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = product.addingReportingOverflow(nanoseconds)
    let magnitude = overflow || carry ? .max : sum
    return isNegative ? -magnitude : magnitude
  }
}
