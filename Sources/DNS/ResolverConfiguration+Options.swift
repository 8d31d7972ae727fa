// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension ResolverConfiguration {
  /// The resolver's options, as `options` and RES_OPTIONS set them.
  public struct Options: Equatable, Sendable {
    /// From how many points on a name is first asked as it stands; 15 at most.
    public internal(set) var ndots = 1
    /// How long the first round waits for a server, in seconds; 30 at most. The resolver never waits less than one.
    public internal(set) var timeout = 5
    /// How often all servers are asked; 5 at most.
    public internal(set) var attempts = 2
    /// Whether the servers take turns at being asked first.
    public internal(set) var rotates = false
    /// Whether queries use EDNS.
    public internal(set) var usesEDNS = false
    /// Whether queries go over TCP.
    public internal(set) var usesTCP = false
    /// Whether the two families' addresses are asked for one after the other.
    public internal(set) var asksOneByOne = false
    /// Whether the two families' addresses are asked for from sockets of their own.
    public internal(set) var reopensSocket = false
    /// Whether a server's word is taken that it checked the data.
    public internal(set) var trustsAuthenticated = false
    /// Whether addresses of IPv6 are not asked for.
    public internal(set) var skipsIPv6 = false
    /// Whether a name without a point is never asked as it stands after a search.
    public internal(set) var neverAsksTopLevel = false
    /// Whether the file is read once only.
    public internal(set) var neverReloads = false

    /// What counts where nothing is said.
    public init() {}
  }

  /// Takes over one option. What follows the name of one without a number is ignored, as glibc does.
  mutating func readOption(_ text: ArraySlice<UInt8>, _ line: Int) {
    let word = String(decoding: text, as: UTF8.self)
    if let value = word.after("ndots:") {
      // The resolver keeps four bits, so that a number below zero comes out as a large one.
      options.ndots = number(value, text, line, atMost: 15) & 0xF
    } else if let value = word.after("timeout:") {
      options.timeout = max(0, number(value, text, line, atMost: 30))
    } else if let value = word.after("attempts:") {
      options.attempts = max(0, number(value, text, line, atMost: 5))
    } else if !options.set(word) {
      allRemarks.append(line, .unknownOption, text)
    }
  }

  /// The number that a value begins with, 0 where there is none.
  private mutating func number(_ value: String, _ text: ArraySlice<UInt8>, _ line: Int, atMost limit: Int) -> Int {
    let isNegative = value.utf8.first == 0x2D
    let unsigned = isNegative || value.utf8.first == 0x2B ? value.utf8.dropFirst() : value.utf8[...]
    let digits = unsigned.prefix { $0.isASCIIDigit }
    let read = digits.isEmpty ? 0 : parseDecimal(digits, atMost: limit) ?? limit
    if isNegative || digits.isEmpty || digits.count < unsigned.count {
      allRemarks.append(line, .badNumber, text)
    } else if parseDecimal(digits, atMost: limit) == nil {
      allRemarks.append(line, .numberTooLarge, text)
    }
    return isNegative ? -read : read
  }
}

extension ResolverConfiguration.Options {
  /// Sets the option that a word begins with; false where there is none.
  fileprivate mutating func set(_ word: String) -> Bool {
    func names(_ option: String) -> Bool { word.after(option) != nil }
    if names("rotate") {
      rotates = true
    } else if names("edns0") {
      usesEDNS = true
    } else if names("single-request-reopen") {
      reopensSocket = true
    } else if names("single-request") {
      asksOneByOne = true
    } else if names("no-tld-query") || names("no_tld_query") {
      neverAsksTopLevel = true
    } else if names("no-reload") {
      neverReloads = true
    } else if names("use-vc") {
      usesTCP = true
    } else if names("trust-ad") {
      trustsAuthenticated = true
    } else if names("no-aaaa") {
      skipsIPv6 = true
    } else {
      return false
    }
    return true
  }
}
