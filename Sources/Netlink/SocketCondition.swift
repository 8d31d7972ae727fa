// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// What a socket of TCP or UDP must be like: the kernel is asked by it (``SocketCondition/bytecode``), and where the
/// kernel cannot be asked, ``SocketCondition/matches(_:)`` decides the same.
public indirect enum SocketCondition: Equatable, Sendable {
  /// A port at one end, compared with a number.
  case port(SocketEnd, PortComparison, UInt16)
  /// An address at one end.
  case host(SocketEnd, HostPattern)
  /// The interface that the socket is bound to, by its number.
  case interface(UInt32)
  /// The opposite.
  case not(SocketCondition)
  /// All of them.
  case all([SocketCondition])
  /// At least one of them.
  case any([SocketCondition])
}

/// An end of a connection.
public enum SocketEnd: Equatable, Sendable {
  /// The own end.
  case source
  /// The peer's.
  case destination
}

/// How a port is compared with a number; what is missing here is the opposite of one of these.
public enum PortComparison: Equatable, Sendable {
  /// It is the number.
  case equal
  /// It is the number or higher.
  case atLeast
  /// It is the number or lower.
  case atMost
}

/// Some addresses, and perhaps a port.
public struct HostPattern: Equatable, Sendable {
  /// The address that the first bits are compared with; nil for any address of either family.
  public let address: IPAddress?
  /// How many bits are compared.
  public let length: Int
  /// The port; nil for any.
  public let port: UInt16?

  init(address: IPAddress?, length: Int, port: UInt16?) {
    (self.address, self.length, self.port) = (address, length, port)
  }

  /// Whether an end is one of those. An IPv4 pattern also finds IPv4 peers of sockets that take both families, whose
  /// addresses have IPv6's form.
  func matches(_ other: IPAddress, port otherPort: UInt16) -> Bool {
    guard port == nil || port == otherPort else { return false }
    guard let address else { return true }
    return (address.isIPv6 ? other : other.unmapped).isIn(address, length: length)
  }
}

extension SocketCondition {
  /// Whether a socket is as it must be.
  public func matches(_ socket: SocketRecord) -> Bool {
    switch self {
    case .port(let end, let comparison, let number):
      let port = end == .source ? socket.localPort : socket.remotePort
      return switch comparison {
      case .equal: port == number
      case .atLeast: port >= number
      case .atMost: port <= number
      }
    case .host(.source, let pattern): return pattern.matches(socket.localAddress, port: socket.localPort)
    case .host(.destination, let pattern): return pattern.matches(socket.remoteAddress, port: socket.remotePort)
    case .interface(let number): return socket.interface == number
    case .not(let condition): return !condition.matches(socket)
    case .all(let conditions): return conditions.allSatisfy { $0.matches(socket) }
    case .any(let conditions): return conditions.contains { $0.matches(socket) }
    }
  }

  /// Whether a socket of a family can be as it must be; where none can, the family is not asked about.
  public func canMatch(isIPv6: Bool) -> Bool { verdict(isIPv6: isIPv6) ?? true }

  /// What is known when nothing but the family is; nil where that is not enough.
  private func verdict(isIPv6: Bool) -> Bool? {
    switch self {
    case .port, .interface: return nil
    // The other way round nothing is known: a socket of IPv6 may have an IPv4 peer.
    case .host(_, let pattern): return pattern.address?.isIPv6 == true && !isIPv6 ? false : nil
    case .not(let condition): return condition.verdict(isIPv6: isIPv6).map { !$0 }
    case .all(let conditions):
      let verdicts = conditions.map { $0.verdict(isIPv6: isIPv6) }
      return verdicts.contains(false) ? false : verdicts.contains(nil) ? nil : true
    case .any(let conditions):
      let verdicts = conditions.map { $0.verdict(isIPv6: isIPv6) }
      return verdicts.contains(true) ? true : verdicts.contains(nil) ? nil : false
    }
  }
}
