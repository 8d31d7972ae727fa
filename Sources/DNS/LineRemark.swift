// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A place in `resolv.conf` or `hosts`, or in a variable that stands in for it, which has no effect, or not the one
/// that it seems to have.
public struct LineRemark: Equatable, Sendable {
  /// What is to be said.
  public enum Code: Equatable, Sendable {
    /// The line's first word means nothing.
    case unknownKeyword
    /// The word that begins the line stands behind white space, where it is not looked for.
    case indented
    /// The keyword has nothing behind it.
    case noValue
    /// What ought to be an address is none.
    case badAddress
    /// An address without a name.
    case noName
    /// A domain that no name can end in.
    case badDomain
    /// Name servers beyond the third are not asked.
    case tooManyServers
    /// Domains beyond ``ResolverConfiguration/maxSearchDomains`` are left out.
    case tooManyDomains
    /// The option is not known.
    case unknownOption
    /// What ought to be a number is none, or has more behind it.
    case badNumber
    /// The number is above the resolver's limit, which counts instead.
    case numberTooLarge
    /// The line is longer than is read.
    case lineTooLong
    /// The file is longer than is read; this line is the first that is not.
    case fileTooLong
  }

  /// The line, from 1; 0 stands for an environment variable.
  public let line: Int
  /// What is to be said.
  public let code: Code
  /// The word it is about; safe to print, and short.
  public let word: String

  init(_ line: Int, _ code: Code, _ word: some Sequence<UInt8>) {
    self.line = line
    self.code = code
    self.word = String(systemBytes: Array(word.prefix(Self.wordLimit))).safeForDisplay
  }

  private static let wordLimit = 64

  /// One line in words: `"foo" is no option of the resolver`. The line's number is not in it.
  public var message: String {
    let word = word.quoted
    return switch code {
    case .unknownKeyword: "\(word) is no keyword"
    case .indented: "\(word) has no effect behind white space"
    case .noValue: "\(word) has no value"
    case .badAddress: "\(word) is no address"
    case .noName: "\(word) has no name"
    case .badDomain: "\(word) is no domain"
    case .tooManyServers: "\(word) is not asked: three name servers are the most"
    case .tooManyDomains: "\(word) is not searched: \(ResolverConfiguration.maxSearchDomains) domains are the most"
    case .unknownOption: "\(word) is no option of the resolver"
    case .badNumber: "\(word) has no proper number"
    case .numberTooLarge: "\(word) is above the resolver's limit, which counts instead"
    case .lineTooLong: "the line is too long and was left out"
    case .fileTooLong: "the file is too long: it was read up to here"
    }
  }
}

/// The remarks on one file: all are counted, and the first are kept.
struct LineRemarks: Equatable, Sendable {
  private(set) var kept: [LineRemark] = []
  private(set) var count = 0
  private static let limit = 20

  mutating func append(_ line: Int, _ code: LineRemark.Code, _ word: some Sequence<UInt8>) {
    count += 1
    if kept.count < Self.limit { kept.append(LineRemark(line, code, word)) }
  }
}

/// The lines of a file, without their ends, one after the other.
struct LineReader {
  private let bytes: [UInt8]
  private var position = 0
  /// The number of the line that was read last, from 1.
  private(set) var number = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> ArraySlice<UInt8>? {
    guard position < bytes.count else { return nil }
    let start = position
    let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
    position = end + 1
    number += 1
    return bytes[start..<end]
  }
}

/// Whether a byte separates words.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
