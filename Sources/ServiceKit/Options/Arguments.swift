// SPDX-License-Identifier: Apache-2.0

// ServiceKit: what every service of ours needs beside its methods — flags, interceptors, a life from start to drain.

public import ArgumentParser
internal import Bytes
internal import Flags
public import GRPCServer
public import NIOCore

/// A time on the command line: `500ms`, `5s`, `1m30s`.
public struct TimeArgument: ExpressibleByArgument, Sendable, CustomStringConvertible {
  /// The time.
  public let amount: TimeAmount

  /// A time.
  public init(_ amount: TimeAmount) { self.amount = amount }

  /// Reads a time with its units; negative ones are refused.
  public init?(argument: String) {
    guard let nanoseconds = GoDuration.parse(argument), nanoseconds >= 0 else { return nil }
    amount = .nanoseconds(nanoseconds)
  }

  /// The time as it is written.
  public var description: String { GoDuration.format(amount.nanoseconds) }

  /// The default's form in the help.
  public var defaultValueDescription: String { description }
}

/// A count of bytes on the command line: `65536`, `64KiB`, `4MiB`, `1GiB`.
public struct SizeArgument: ExpressibleByArgument, Sendable, CustomStringConvertible {
  /// Bytes.
  public let bytes: Int

  /// A size in bytes.
  public init(_ bytes: Int) { self.bytes = bytes }

  /// Reads a count with or without a unit; at most 2 GiB less one byte.
  public init?(argument: String) {
    for (unit, factor) in Self.units where argument.hasSuffix(unit) {
      guard let count = parseDecimal(argument.dropLast(unit.count).utf8, atMost: Int(Int32.max) / factor) else {
        return nil
      }
      bytes = count * factor
      return
    }
    guard let count = parseDecimal(argument.utf8, atMost: Int(Int32.max)) else { return nil }
    bytes = count
  }

  /// The size as it is written.
  public var description: String {
    for (unit, factor) in Self.units where bytes > 0 && bytes % factor == 0 { return "\(bytes / factor)\(unit)" }
    return String(bytes)
  }

  /// The default's form in the help.
  public var defaultValueDescription: String { description }

  private static let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
}

/// Where to listen: `127.0.0.1:50051`, `[::]:50051`, `:50051`, `unix:/run/app.sock`.
public struct AddressArgument: ExpressibleByArgument, Sendable, CustomStringConvertible {
  /// The address.
  public let address: ListenAddress

  /// An address.
  public init(_ address: ListenAddress) { self.address = address }

  /// Reads an address. Without a host it is every one of the machine's.
  public init?(argument: String) {
    if let path = argument.after("unix:") {
      guard !path.isEmpty, path.utf8.count <= Self.maxPathLength else { return nil }
      address = .unix(path: path.after("//") ?? path)
      return
    }
    guard let colon = argument.lastIndex(of: ":"),
      let port = parseDecimal(argument[argument.index(after: colon)...].utf8, atMost: 65_535)
    else { return nil }
    var host = String(argument[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.utf8.contains(0x3A) {
      return nil
    }
    address = .tcp(host: host.isEmpty ? "::" : host, port: port)
  }

  /// The address as it is written.
  public var description: String { address.description }

  /// The default's form in the help.
  public var defaultValueDescription: String { description }

  /// Whether nobody but this machine can reach it.
  public var isLocal: Bool {
    switch address {
    case .unix: true
    case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
  }

  /// What a socket's address has room for.
  private static let maxPathLength = 107
}
