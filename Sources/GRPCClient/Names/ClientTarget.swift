// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys

/// Why a text names no target.
public struct ClientTargetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The text.
  public let target: String
  /// What is wrong with it.
  public let cause: String

  /// One line for a log or a terminal.
  public var description: String { "the target \(target.quoted): \(cause)" }
}

/// Where a client finds its servers, as gRPC names it.
///
/// ```
/// host[:port]   dns:host[:port]   dns:///host[:port]        looked up, and again from time to time
/// static:host:port,host:port                                several names, looked up
/// ipv4:1.2.3.4:port,5.6.7.8:port   ipv6:[::1]:port,…        addresses
/// unix:path   unix:///absolute/path                         a Unix socket
/// ```
///
/// Where no port is named it is 443.
struct ClientTarget: Sendable {
  /// A name to look up, or an address.
  enum Place: Equatable, Sendable {
    case host(String, port: UInt16)
    case unix(path: String)
  }

  /// Where the servers are.
  let places: [Place]
  /// What requests call the server by.
  let authority: String
  /// The name that a certificate is checked for.
  let hostName: String

  /// Names that one target may list.
  private static let maxPlaces = 1_000

  init(_ text: String) throws(ClientTargetError) {
    do throws(TargetError) {
      let targets: [Target]
      if let list = text.after("static:") ?? text.after("ipv6:") ?? text.after("ipv4:") {
        targets = try Self.targets(list.after("///") ?? list, areAddresses: text.after("static:") == nil)
      } else if text.after("dns:") != nil || text.after("unix:") != nil {
        targets = [try Target(text)]
      } else if text.hasScheme {
        // It says which schemes there are.
        targets = [try Target(text)]
      } else {
        targets = [try Target("dns:" + text)]
      }
      try self.init(targets)
    } catch {
      throw ClientTargetError(target: text, cause: error.cause + (error.hint.isEmpty ? "" : ": " + error.hint))
    }
  }

  private init(_ targets: [Target]) throws(TargetError) {
    guard let first = targets.first else { throw TargetError(cause: "the list is empty", hint: "write HOST:PORT,…") }
    authority = first.authority
    hostName = first.hostName
    var places: [Place] = []
    for target in targets {
      switch target.endpoint {
      case .host(let host, let port): places.append(.host(host, port: port))
      case .unix(.unix(let path)): places.append(.unix(path: path))
      case .unix: throw TargetError(cause: "abstract Unix sockets are not supported", hint: "use a path")
      }
    }
    self.places = places
  }

  private static func targets(_ list: String, areAddresses: Bool) throws(TargetError) -> [Target] {
    var targets: [Target] = []
    for part in list.split(onASCII: 0x2C) {
      let target = try Target("dns:" + part)
      if areAddresses, case .host(let host, _) = target.endpoint, !Sys.SocketAddress.isIPLiteral(host) {
        throw TargetError(cause: "\(host.quoted) is no IP address", hint: "write static: for names")
      }
      targets.append(target)
      guard targets.count <= maxPlaces else {
        throw TargetError(cause: "more than \(maxPlaces) addresses", hint: "")
      }
    }
    return targets
  }
}

extension String {
  /// Whether the text begins with a scheme and two slashes.
  fileprivate var hasScheme: Bool {
    let bytes = Array(utf8)
    return bytes.indices.contains { bytes[$0...].starts(with: [0x3A, 0x2F, 0x2F]) }
  }
}
