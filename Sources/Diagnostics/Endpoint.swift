// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys

/// A host and a port, as a command's operands name them: `HOST:PORT`, `[IPv6]:PORT`, `:PORT`, or `HOST PORT`.
struct Endpoint: Equatable {
  let host: String
  let port: UInt16

  /// Reads the operands, all of which belong to the one endpoint.
  init(_ operands: [String]) throws(UsageError) {
    guard let first = operands.first, operands.count <= 2 else {
      throw UsageError(line: "name one target, as HOST:PORT")
    }
    try Self.refuseCredentials(operands.joined(separator: " "))
    let (host, port): (String, String)
    if operands.count == 2 {
      (host, port) = (Self.withoutBrackets(first), operands[1])
    } else if let colon = first.utf8.lastIndex(of: 0x3A) {
      (host, port) = (
        Self.withoutBrackets(String(first[..<colon])), String(first.utf8[first.utf8.index(after: colon)...]) ?? ""
      )
    } else {
      throw UsageError(line: "\(first.quoted) names no port: write HOST:PORT")
    }
    guard let number = parseDecimal(port.utf8, atMost: 65_535), number > 0 else {
      throw UsageError(line: "\(port.quoted) is no port from 1 to 65535")
    }
    let isLiteral = SocketAddress.isIPLiteral(host)
    // `::1:80` is an address, too.
    guard !host.utf8.contains(0x3A) || isLiteral && (operands.count == 2 || first.utf8.first == 0x5B) else {
      throw UsageError(line: "\(first.quoted) is ambiguous: write an IPv6 address in brackets, as [::1]:80")
    }
    guard isLiteral || host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw UsageError(line: "\(host.quoted) is no host name")
    }
    self.host = host.isEmpty ? "localhost" : host
    self.port = UInt16(number)
  }

  /// A host alone, for what needs no port. The text is one address or name, an IPv6 address with or without brackets.
  init(host text: String) throws(UsageError) {
    try Self.refuseCredentials(text)
    let host = Self.withoutBrackets(text)
    let isLiteral = SocketAddress.isIPLiteral(host)
    guard isLiteral || !host.isEmpty && host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x3A && $0 != 0x2F })
    else { throw UsageError(line: "\(text.quoted) is no host: write a name or an address, without a port") }
    (self.host, port) = (host, 0)
  }

  /// Refuses what holds a user or a password, before any of it could be taken for something else and repeated.
  static func refuseCredentials(_ text: String) throws(UsageError) {
    guard !text.utf8.contains(0x40) else {
      throw UsageError(
        line: "\(text.withoutCredentials.quoted) has a user or a password, which have no place here: write HOST:PORT")
    }
  }

  private static func withoutBrackets(_ text: String) -> String {
    guard text.utf8.first == 0x5B, text.utf8.last == 0x5D else { return text }
    return String(text.dropFirst().dropLast())
  }

  /// The endpoint as the probe's `-addr` takes it.
  var address: String { (host.utf8.contains(0x3A) ? "[\(host)]" : host) + ":\(port)" }

  /// The endpoint as people write it.
  var text: String { (host.utf8.contains(0x3A) ? "[\(host)]" : host).safeForDisplay + ":\(port)" }

  /// The host as people write it.
  var hostText: String { host.safeForDisplay }
}

/// Why a host has no address.
struct NameFailure: Error, Equatable {
  /// The stable code.
  let code: String
  /// What it means, without a full stop.
  let meaning: String
}

extension Endpoint {
  /// The addresses of the host, each once, in the resolver's order. It takes until the deadline at most.
  func addresses(until deadline: Deadline) throws(NameFailure) -> [SocketAddress] {
    if let addresses = Resolver.immediate(host: host, port: port) { return addresses }
    let outcome: Result<[SocketAddress], ResolveError>?
    do throws(SystemError) { outcome = try resolve(until: deadline) } catch {
      throw NameFailure(code: "DNS_FAILED", meaning: "the look-up failed: \(error.operation): \(error.text)")
    }
    switch outcome {
    case .success(let addresses)?:
      var seen: Set<SocketAddress> = []
      return addresses.filter { seen.insert($0).inserted }
    case .failure(let error)?: throw NameFailure(error, host: host)
    case nil:
      throw NameFailure(code: "DNS_TIMEOUT", meaning: "no name server answered for \(host.safeForDisplay) in time")
    }
  }

  /// What the resolver says; nil where it has said nothing until the deadline.
  private func resolve(until deadline: Deadline) throws(SystemError) -> Result<[SocketAddress], ResolveError>? {
    let resolver = try Resolver(host: host, port: port)
    var poll = Poll()
    resolver.add(to: &poll)
    guard try poll.wait(until: deadline) else { return nil }
    do throws(ResolveError) { return .success(try resolver.finish()) } catch { return .failure(error) }
  }
}

extension NameFailure {
  /// What the resolver's failure means.
  init(_ error: ResolveError, host: String) {
    let name = host.safeForDisplay
    switch error.code {
    case .notFound: self.init(code: "DNS_NXDOMAIN", meaning: "there is no name \(name) (\(error.text))")
    case .noAddress: self.init(code: "DNS_NO_ADDRESS", meaning: "the name \(name) has no address (\(error.text))")
    case .temporary:
      self.init(
        code: "DNS_UNREACHABLE",
        meaning: "no name server gave an answer for \(name) (\(error.text)): none is reached, or on a Docker network "
          + "without a way out the name is not of this network")
    case .failed: self.init(code: "DNS_FAILED", meaning: "the look-up of \(name) failed (\(error.text))")
    }
  }
}
