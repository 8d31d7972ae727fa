// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Netlink
internal import Sys

/// Whether a host is on one of this machine's networks: whether packets reach it without a gateway.
struct SameNetwork {
  /// An answer.
  enum Answer: String {
    case yes
    case no
    case undetermined

    var mark: Mark {
      switch self {
      case .yes: .ok
      case .no: .failure
      case .undetermined: .unknown
      }
    }

    /// The stable code.
    var code: String {
      switch self {
      case .yes: "SAME_NETWORK"
      case .no: "NOT_SAME_NETWORK"
      case .undetermined: "UNDETERMINED"
      }
    }
  }

  /// An address of the host and what is known of it.
  struct Address {
    let address: IPAddress
    let answer: Answer
    /// Why, as the end of a sentence.
    let reason: String
  }

  /// The host as it was asked for.
  let host: String
  /// Its addresses.
  let addresses: [Address]
  /// Why nothing is known of any address; nil where there are some.
  let failure: String?

  /// An answer for a host, whose addresses were judged, or could not be had.
  init(host: String, addresses: [Address], failure: String? = nil) {
    (self.host, self.addresses, self.failure) = (host, addresses, failure)
  }

  /// One way to the host is enough: a host with an address on this network may have others elsewhere.
  var answer: Answer {
    if addresses.contains(where: { $0.answer == .yes }) { return .yes }
    return addresses.isEmpty || addresses.contains { $0.answer == .undetermined } ? .undetermined : .no
  }

  /// The reason of the answer.
  var reason: String {
    failure ?? addresses.first { $0.answer == answer }.map { text(of: $0) } ?? "it has no address"
  }

  private func text(of address: Address) -> String {
    let text = address.address.text
    return (text == host ? text : "\(host.safeForDisplay) (\(text))") + " " + address.reason
  }

  /// Judges an address by the route that a packet to it would take.
  static func judge(
    _ address: IPAddress, route: Result<RouteRecord, NetlinkError>, in network: NetworkFacts
  ) -> Address {
    let (answer, reason) = judgement(address, route, network)
    return Address(address: address, answer: answer, reason: reason)
  }

  private static func judgement(
    _ address: IPAddress, _ answer: Result<RouteRecord, NetlinkError>, _ network: NetworkFacts
  ) -> (Answer, String) {
    let route: RouteRecord
    switch routed(answer) {
    case .success(let found): route = found
    case .failure(let refusal): return refusal.answer
    }
    if route.kind == .local { return (.yes, "is this machine's own") }
    guard route.kind == .unicast, let hop = route.nextHops.first else {
      return (.undetermined, "is a \(route.kind?.name ?? "special") address, which is no single machine's")
    }
    let interface = network.name(ofInterface: hop.interface)
    if let gateway = hop.gateway {
      return (.no, "is behind the gateway \(gateway.text) on \(interface)")
    }
    guard let own = network.onLinkRoute(to: address, interface: hop.interface) else {
      return (.yes, "is on the link of \(interface)")
    }
    if own.isDefault {
      return (.undetermined, "goes out by \(interface), whose route to everywhere names neither network nor gateway")
    }
    let reason = "is on the network \(own.destinationText) of \(interface)"
    let state = network.neighbours.first { $0.address == address && $0.interface == hop.interface }?.state
    return (.yes, state == .failed ? reason + ", but does not answer there" : reason)
  }

  private struct Refusal: Error {
    let answer: (Answer, String)
  }

  /// The route, or what it means that there is none. The kernel has two ways to say that: an error, and a route that
  /// refuses.
  private static func routed(_ route: Result<RouteRecord, NetlinkError>) -> Result<RouteRecord, Refusal> {
    func no(_ reason: String) -> Result<RouteRecord, Refusal> { .failure(Refusal(answer: (.no, reason))) }
    switch route {
    case .success(let route):
      switch route.kind {
      case .unreachable: return no("is unreachable: a route says so")
      case .prohibit: return no("is forbidden: a route says so")
      case .blackhole: return no("is dropped: a route is a black hole")
      default: return .success(route)
      }
    case .failure(let error):
      switch error.errno {
      case Errno.networkUnreachable: return no("has no route that leads to it")
      case Errno.hostUnreachable: return no("is unreachable: a route says so")
      case Errno.permissionDenied: return no("is forbidden: a route says so")
      // With words, they are about the question.
      case Errno.invalidArgument where error.message == nil: return no("is dropped: a route is a black hole")
      default:
        return .failure(Refusal(answer: (.undetermined, "has a route that the kernel does not tell: \(error.text)")))
      }
    }
  }
}

extension SameNetwork {
  /// How long a name may take to be looked up.
  private static let patience: Int64 = 5_000_000_000

  /// Looks a host up and asks the kernel for the way to each of its addresses.
  init(_ endpoint: Endpoint, socket: inout NetlinkSocket, network: NetworkFacts) {
    let found: [SocketAddress]
    do throws(NameFailure) {
      found = try endpoint.addresses(until: Deadline(nanoseconds: Self.patience))
    } catch {
      self.init(host: endpoint.host, addresses: [], failure: error.meaning)
      return
    }
    var judged: [Address] = []
    for (address, scope) in found.compactMap({ $0.ip }) {
      if address.isIPv6, address.isLinkLocal, scope == 0 {
        let reason = "is valid on one link alone, and says not on which: write \(address.text)%INTERFACE"
        judged.append(Address(address: address, answer: .undetermined, reason: reason))
        continue
      }
      let route: Result<RouteRecord, NetlinkError>
      do throws(NetlinkError) {
        route = .success(try socket.route(to: address.unmapped, interface: scope))
      } catch { route = .failure(error) }
      judged.append(Self.judge(address.unmapped, route: route, in: network))
    }
    self.init(host: endpoint.host, addresses: judged)
  }
}

extension SocketAddress {
  /// The IP address and the number of the interface that a link-local one names.
  var ip: (IPAddress, UInt32)? {
    switch self {
    case .ipv4(let bytes, _): IPAddress(bytes).map { ($0, 0) }
    case .ipv6(let bytes, _, let scope): IPAddress(bytes).map { ($0, scope) }
    case .unix, .unixAbstract: nil
    }
  }
}
