// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import NIOCore
internal import NIOPosix
internal import Sys

/// Why a name gave no address; one line.
public struct ResolveFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public let description: String

  /// A failure for a reason.
  public init(_ description: String) { self.description = description }
}

/// Finds the addresses of a client's servers.
public protocol NameResolver: Sendable {
  /// The addresses now, in the order in which they are to be tried. An error keeps what an earlier call gave.
  func resolve() async throws -> [NIOCore.SocketAddress]

  /// Whether a later call may give other addresses.
  var isVariable: Bool { get }
}

extension NameResolver {
  /// A later call may give others.
  public var isVariable: Bool { true }
}

/// Addresses that never change.
public struct StaticResolver: NameResolver {
  private let addresses: [NIOCore.SocketAddress]

  /// A resolver that gives these addresses.
  public init(_ addresses: [NIOCore.SocketAddress]) { self.addresses = addresses }

  /// The addresses.
  public func resolve() async throws -> [NIOCore.SocketAddress] { addresses }

  /// Never.
  public var isVariable: Bool { false }
}

/// Looks a target's names up with the system's resolver, on a thread of its own.
struct SystemResolver: NameResolver {
  private let places: [ClientTarget.Place]

  /// The longest time of one look-up in nanoseconds.
  private static let lookUpTime: Int64 = 30_000_000_000

  init(_ target: ClientTarget) { places = target.places }

  /// Whether there is a name among the places.
  var isVariable: Bool {
    places.contains { place in
      guard case .host(let host, let port) = place else { return false }
      return Sys.Resolver.immediate(host: host, port: port) == nil
    }
  }

  func resolve() async throws -> [NIOCore.SocketAddress] {
    var addresses: [NIOCore.SocketAddress] = []
    var failure: (any Error)?
    for place in places {
      do {
        for address in try await Self.resolve(place) where !addresses.contains(address) { addresses.append(address) }
      } catch {
        failure = error
      }
    }
    // One of several names that is not known at present does not keep the others from being used.
    if addresses.isEmpty, let failure { throw failure }
    return addresses
  }

  private static func resolve(_ place: ClientTarget.Place) async throws -> [NIOCore.SocketAddress] {
    switch place {
    case .unix(let path): return [try NIOCore.SocketAddress(unixDomainSocketPath: path)]
    case .host(let host, let port):
      if let immediate = Sys.Resolver.immediate(host: host, port: port) { return try convert(immediate) }
      return try await NIOThreadPool.singleton.runIfActive {
        try convert(lookUp(host, port))
      }
    }
  }

  private static func lookUp(_ host: String, _ port: UInt16) throws -> [Sys.SocketAddress] {
    do {
      let resolver = try Sys.Resolver(host: host, port: port)
      var poll = Poll()
      resolver.add(to: &poll)
      guard try poll.wait(until: Deadline(nanoseconds: lookUpTime)) else {
        throw ResolveFailure("cannot resolve \(host.quoted): no answer within 30 s")
      }
      return try resolver.finish()
    } catch let error as ResolveError {
      throw ResolveFailure("cannot resolve \(host.quoted): \(error.text)")
    } catch let error as SystemError {
      throw ResolveFailure("cannot resolve \(host.quoted): \(error.text)")
    }
  }

  private static func convert(_ addresses: [Sys.SocketAddress]) throws -> [NIOCore.SocketAddress] {
    try addresses.map { address in
      switch address {
      case .ipv4(let bytes, let port): try .init(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
      case .ipv6(let bytes, let port, scope: 0): try .init(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
      case .ipv6: throw ResolveFailure("link-local addresses are not supported: \(address.text)")
      case .unix(let path): try .init(unixDomainSocketPath: path)
      case .unixAbstract: throw ResolveFailure("abstract Unix sockets are not supported")
      }
    }
  }
}
