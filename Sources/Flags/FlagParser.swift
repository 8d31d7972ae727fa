// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Why a command line cannot be read.
public enum FlagError: Error, Equatable, Sendable {
  /// `-h` or `-help` was given.
  case helpRequested
  /// A line that says what is wrong.
  case message(String)
}

/// The values of a tool's flags, after the command line and the environment were read.
public struct FlagValues: Sendable {
  private var texts: [String: String] = [:]
  private var lists: [String: [String]] = [:]
  /// How many values were set before the last one of each flag.
  private var given: [String: Int] = [:]
  private var count = 0

  /// The words that are no flags, in order; where the table has no operands, all from the first such word on.
  public fileprivate(set) var operands: [String] = []
  /// Those of the operands that stood behind `--`; nil where there was none.
  public fileprivate(set) var operandsAfterDashes: [String]?

  fileprivate init(_ table: FlagTable) {
    for flag in table.flags { texts[flag.name] = flag.defaultValue }
  }

  /// Whether the flag is on.
  public func bool(_ name: String) -> Bool { texts[name] == "true" }
  /// The flag's text; empty where none was given and there is no default.
  public func string(_ name: String) -> String { texts[name] ?? "" }
  /// The flag's length of time in nanoseconds; 0 where none was given and there is no default.
  public func duration(_ name: String) -> Int64 { GoDuration.parse(texts[name] ?? "") ?? 0 }
  /// The flag's number; 0 where none was given and there is no default.
  public func integer(_ name: String) -> Int { parseDecimal((texts[name] ?? "").utf8) ?? 0 }
  /// The values of a flag that may be given more than once, in order.
  public func list(_ name: String) -> [String] { lists[name] ?? [] }
  /// Whether the command line or the environment gave the flag.
  public func isGiven(_ name: String) -> Bool { given[name] != nil }
  /// Whether a flag was given, and last of all behind where another one was, if that was given.
  public func isGiven(_ name: String, after other: String) -> Bool { (given[name] ?? -1) > (given[other] ?? -1) }

  fileprivate mutating func set(_ flag: Flag, _ value: String) {
    given[flag.name] = count
    count += 1
    if flag.kind == .list { lists[flag.name, default: []].append(value) } else { texts[flag.name] = value }
  }
}

extension FlagTable {
  /// Reads a command line and, for flags that it does not give, the environment.
  ///
  /// The grammar is that of Go's `flag` package: one dash or two; a value after `=` or as the next word; booleans alone
  /// or with `=`; the last of repeated flags wins. Where a table has short forms, a word with one dash that is no
  /// flag's name may hold several of these. Reading stops at the first word that is no flag, at `-` and at `--`;
  /// where the table has operands, such words may stand anywhere, and only `--` ends the flags.
  /// An empty environment variable counts as unset. One of a flag that may be repeated holds a value a line.
  ///
  /// - Parameter checks: rules of the tool's own for a flag's value; the text is what is wrong, nil where nothing is.
  public func parse(
    _ arguments: [String], environment: (String) -> String? = { _ in nil },
    checks: (_ flag: String, _ value: String) -> String? = { _, _ in nil }
  ) throws(FlagError) -> FlagValues {
    var values = FlagValues(self)
    var index = 0
    while index < arguments.count {
      let word = Array(arguments[index].utf8)
      guard word.count >= 2, word[0] == 0x2D, word != [0x2D, 0x2D] else {
        guard !operands.isEmpty else {
          values.operands = Array(arguments[index...])
          break
        }
        if word == [0x2D, 0x2D] {
          values.operandsAfterDashes = Array(arguments[(index + 1)...])
          values.operands += arguments[(index + 1)...]
          break
        }
        values.operands.append(arguments[index])
        index += 1
        continue
      }
      index += 1
      let body = Array(word.dropFirst(word[1] == 0x2D ? 2 : 1))
      guard let first = body.first, first != 0x2D, first != 0x3D else {
        throw .message("bad flag syntax: \(arguments[index - 1].safeForDisplay)")
      }
      let equals = body.firstIndex(of: 0x3D)
      let name = String(decoding: body[..<(equals ?? body.count)], as: UTF8.self)
      guard let flag = flag(named: name) else {
        if equals == nil, word[1] != 0x2D, let flags = flags(abbreviated: body) {
          for flag in flags { values.set(flag, "true") }
          continue
        }
        if name == "h" || name == "help" { throw .helpRequested }
        throw .message("flag provided but not defined: \(dashes)\(name.safeForDisplay)")
      }
      let value: String
      if let equals {
        value = String(decoding: body[(equals + 1)...], as: UTF8.self)
      } else if flag.kind == .bool {
        value = "true"
      } else if index < arguments.count {
        value = arguments[index]
        index += 1
      } else {
        throw .message("flag needs an argument: \(dashes)\(name)")
      }
      switch flag.normalized(value, checks) {
      case .success(let text): values.set(flag, text)
      case .failure(let why):
        let what = flag.kind == .bool ? "boolean value \(value.quoted) for" : "value \(value.quoted) for flag"
        throw .message("invalid \(what) \(dashes)\(name): \(why.text)")
      }
    }
    try readEnvironment(environment, checks, into: &values)
    return values
  }

  private func flag(named name: String) -> Flag? {
    for group in groups { for flag in group.flags where flag.name == name { return flag } }
    for group in groups { for flag in group.flags where !name.isEmpty && flag.short == name { return flag } }
    return nil
  }

  /// The booleans that letters mean, one each; nil where one means none.
  private func flags(abbreviated letters: [UInt8]) -> [Flag]? {
    var found: [Flag] = []
    for letter in letters {
      guard let flag = flags.first(where: { $0.short.utf8.elementsEqual([letter]) && $0.kind == .bool }) else {
        return nil
      }
      found.append(flag)
    }
    return found
  }

  private func readEnvironment(
    _ environment: (String) -> String?, _ checks: (String, String) -> String?, into values: inout FlagValues
  ) throws(FlagError) {
    for flag in flags where !values.isGiven(flag.name) {
      guard let variable = environmentName(flag), let text = environment(variable), !text.isEmpty else { continue }
      let parts = flag.kind == .list ? text.split(onASCII: 0x0A).filter { !$0.isEmpty } : [text]
      for part in parts {
        switch flag.normalized(part, checks) {
        case .success(let value): values.set(flag, value)
        case .failure(let why):
          let what = flag.kind == .bool ? "boolean value" : "value"
          throw .message("invalid \(what) \(part.quoted) for environment variable \(variable): \(why.text)")
        }
      }
    }
  }
}

private struct Reason: Error {
  let text: String
}

extension Flag {
  /// The value in the form that ``FlagValues`` keeps, or what is wrong with it.
  fileprivate func normalized(_ value: String, _ checks: (String, String) -> String?) -> Result<String, Reason> {
    if let wrong = checks(name, value) { return .failure(Reason(text: wrong)) }
    switch kind {
    case .bool:
      switch value {
      case "1", "t", "T", "TRUE", "true", "True": return .success("true")
      case "0", "f", "F", "FALSE", "false", "False": return .success("false")
      default: return .failure(Reason(text: "parse error"))
      }
    case .duration:
      return GoDuration.parse(value) == nil ? .failure(Reason(text: "parse error")) : .success(value)
    case .seconds:
      if GoDuration.parse(value) != nil { return .success(value) }
      return GoDuration.parse(value + "s") == nil ? .failure(Reason(text: "parse error")) : .success(value + "s")
    case .integer(let range):
      guard let number = parseDecimal(value.utf8) else { return .failure(Reason(text: "parse error")) }
      guard range.contains(number) else {
        return .failure(Reason(text: "must be from \(range.lowerBound) to \(range.upperBound)"))
      }
      return .success(value)
    case .choice(let words):
      guard words.contains(value) else {
        return .failure(Reason(text: "must be one of " + words.joined(separator: ", ")))
      }
      return .success(value)
    case .string, .list: return .success(value)
    }
  }
}
