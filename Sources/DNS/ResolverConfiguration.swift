// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// What steers the C library's resolver: `resolv.conf` and two variables, read as glibc reads them.
public struct ResolverConfiguration: Equatable, Sendable {
  /// A server that is asked.
  public struct NameServer: Equatable, Sendable {
    /// Its address.
    public var address: IPAddress
    /// The interface of a link-local address, by name or number, as the file has it; empty where there is none.
    public var zone: String

    /// A server of an address.
    public init(_ address: IPAddress, zone: String = "") {
      self.address = address
      self.zone = zone
    }
  }

  /// The servers, in the order in which they are asked: three at most.
  public private(set) var nameServers: [NameServer] = []
  /// Whether the file names no server, so that this machine itself is asked.
  public private(set) var hasDefaultNameServer = false
  /// The domains that are appended to a name, in their order.
  public private(set) var searchDomains: [DNSName] = []
  /// The options.
  public internal(set) var options = Options()
  /// What has no effect, or not the one that it seems to have: the first twenty such places.
  public var remarks: [LineRemark] { allRemarks.kept }
  /// How many such places there are.
  public var remarkCount: Int { allRemarks.count }

  var allRemarks = LineRemarks()

  /// How many servers are asked (MAXNS).
  public static let maxNameServers = 3
  /// How many domains are searched. glibc has no limit; no file that means well comes near this one.
  public static let maxSearchDomains = 256
  /// How much of a file is read, in bytes.
  public static let maxFileLength = 1 << 16

  /// Reads a file's content; a missing file is an empty one.
  ///
  /// - Parameters:
  ///   - localDomain: the variable LOCALDOMAIN: domains that take the place of the file's; nil where it is not set.
  ///   - resolverOptions: the variable RES_OPTIONS: options that are added to the file's; nil where it is not set.
  ///   - hostName: this machine's name, whose domain is searched where nothing else says what is.
  public init(_ file: [UInt8], localDomain: String? = nil, resolverOptions: String? = nil, hostName: String? = nil) {
    var domains = Self.domains(localDomain)
    var domainLine = 0
    var lines = LineReader(Array(file.prefix(Self.maxFileLength)))
    while let line = lines.next() {
      let words = line.split(whereSeparator: isBlank)
      guard let keyword = words.first, !Self.beginsComment(keyword.first), !Self.beginsComment(line.first) else {
        continue
      }
      let number = lines.number
      let name = String(decoding: keyword, as: UTF8.self)
      if !Self.keywords.contains(name) {
        allRemarks.append(number, .unknownKeyword, keyword)
      } else if keyword.startIndex != line.startIndex {
        allRemarks.append(number, .indented, keyword)
      } else if words.count == 1 {
        allRemarks.append(number, .noValue, keyword)
      } else {
        switch name {
        case "nameserver": readServer(words[1], number)
        case "options": for word in words[1...] { readOption(word, number) }
        // The last line of these two counts. What follows a search list is part of it, comments included.
        case "search" where localDomain == nil: (domains, domainLine) = (Array(words[1...]), number)
        case "domain" where localDomain == nil: (domains, domainLine) = ([words[1]], number)
        default: break  // what a variable took the place of; and an order of addresses, which concerns no query
        }
      }
    }
    if file.count > Self.maxFileLength { allRemarks.append(lines.number, .fileTooLong, []) }
    if localDomain == nil, domains.isEmpty, let point = hostName?.utf8.firstIndex(of: 0x2E), let hostName {
      domains = [Array(hostName.utf8[point...].dropFirst())[...]]
    }
    setDomains(domains, domainLine)
    for value in Array((resolverOptions ?? "").systemBytes).split(whereSeparator: isBlank) { readOption(value, 0) }
    if nameServers.isEmpty {
      nameServers = [NameServer(.loopbackIPv4)]
      hasDefaultNameServer = true
    }
  }

  /// The names that are asked for a name, in this order and until one of them has an answer: as it stands first where
  /// it has as many points as `ndots`, then under each domain, then as it stands if it was not asked so before. A point
  /// at its end makes it the only one.
  public func searchList(for name: String) throws(DNSNameError) -> [DNSName] {
    let absolute = try DNSName(name)
    guard name.utf8.last != 0x2E else { return [absolute] }
    let points = name.utf8.count { $0 == 0x2E }
    var names: [DNSName] = []
    if points >= options.ndots { names.append(absolute) }
    for domain in searchDomains {
      // What becomes too long is not asked.
      if let name = try? absolute.appending(domain) { names.append(name) }
    }
    let isLast = points > 0 || searchDomains.isEmpty || !options.neverAsksTopLevel
    if points < options.ndots, isLast, !searchDomains.contains(.root) { names.append(absolute) }
    return names
  }

  private static let keywords = ["nameserver", "search", "domain", "options", "sortlist"]

  private static func beginsComment(_ byte: UInt8?) -> Bool { byte == 0x23 || byte == 0x3B }

  /// The domains of LOCALDOMAIN. One that is empty, or begins with a blank, stands for the root first.
  private static func domains(_ variable: String?) -> [ArraySlice<UInt8>] {
    guard let variable else { return [] }
    let value = Array(variable.systemBytes.prefix { $0 != 0x0A })
    let words = value.split(whereSeparator: isBlank)
    return value.first.map(isBlank) ?? true ? [[]] + words : words
  }

  private mutating func readServer(_ text: ArraySlice<UInt8>, _ line: Int) {
    guard let server = Self.server(text) else {
      allRemarks.append(line, .badAddress, text)
      return
    }
    guard nameServers.count < Self.maxNameServers else {
      allRemarks.append(line, .tooManyServers, text)
      return
    }
    nameServers.append(server)
  }

  private static func server(_ text: ArraySlice<UInt8>) -> NameServer? {
    if let address = looseIPv4(text) { return NameServer(address) }
    let parts = text.split(separator: 0x25, maxSplits: 1, omittingEmptySubsequences: false)
    guard let host = parts.first, let address = IPAddress(String(decoding: host, as: UTF8.self)), address.isIPv6 else {
      return nil
    }
    return NameServer(address, zone: parts.count > 1 ? String(systemBytes: Array(parts[1])).safeForDisplay : "")
  }

  /// An address as inet_aton(3) reads it: one to four numbers, decimal, octal or hexadecimal, the last of which fills
  /// what is left.
  private static func looseIPv4(_ text: ArraySlice<UInt8>) -> IPAddress? {
    let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard parts.count <= 4 else { return nil }
    var value: UInt64 = 0
    for (index, part) in parts.enumerated() {
      guard let number = number(part) else { return nil }
      let bits = UInt64(index == parts.count - 1 ? 8 * (5 - parts.count) : 8)
      guard number < 1 << bits else { return nil }
      value = value << bits | number
    }
    return IPAddress((0..<4).map { UInt8(truncatingIfNeeded: value >> UInt64(24 - 8 * $0)) })
  }

  private static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
    var digits = text
    var radix: UInt64 = 10
    if text.count > 1, text.first == 0x30 {
      let isHexadecimal = text[text.startIndex + 1] | 0x20 == 0x78
      radix = isHexadecimal ? 16 : 8
      digits = text.dropFirst(isHexadecimal ? 2 : 1)
    }
    guard !digits.isEmpty else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard let digit = digit.hexDigitValue, digit < radix, value < 1 << 32 else { return nil }
      value = value * radix + UInt64(digit)
    }
    return value
  }

  private mutating func setDomains(_ texts: [ArraySlice<UInt8>], _ line: Int) {
    for text in texts {
      guard searchDomains.count < Self.maxSearchDomains else {
        allRemarks.append(line, .tooManyDomains, text)
        return
      }
      // One point before a domain means nothing, and neither does what stands for the root.
      let plain = text.first == 0x2E ? text.dropFirst() : text
      do throws(DNSNameError) {
        searchDomains.append(plain.isEmpty ? .root : try DNSName(String(decoding: plain, as: UTF8.self)))
      } catch {
        allRemarks.append(line, .badDomain, text)
      }
    }
  }
}
