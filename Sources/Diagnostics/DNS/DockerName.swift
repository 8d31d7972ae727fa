// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import Sys

/// What Docker's resolver calls an address on a network that a user made: a container, and that network.
struct DockerName: Equatable {
  let address: IPAddress
  /// The container's name, safe to print.
  let container: String
  /// The network's name, safe to print.
  let network: String

  /// How long the resolver has to tell names, in nanoseconds: it knows them at once, or not.
  private static let timeout: Int64 = 300_000_000

  /// The resolver's address, the same in every container on such a network.
  static let resolver = "127.0.0.11"

  /// Asks Docker's resolver for the names of some addresses, until the deadline at most.
  static func names(of addresses: [IPAddress], until deadline: Deadline) -> [DockerName] {
    guard !addresses.isEmpty, let server = SocketAddress(literal: resolver, port: 53) else { return [] }
    let probe = DNSProbe(timeout: min(timeout, deadline.remaining), tries: 1, usesEDNS: false)
    let questions = addresses.map { DNSProbe.Question(server: server, name: DNSName(reverseOf: $0), type: .ptr) }
    return zip(addresses, probe.ask(questions)).compactMap { address, reply in
      guard case .pointer(let name)? = reply.data.first?.data else { return nil }
      let pointer = DNSReport.Pointer(address: address, name: name)
      let found = DNSReport.Server(address: server, steps: [], pointers: [pointer]).container(pointer)
      return found.map { DockerName(address: address, container: $0.name, network: $0.network) }
    }
  }
}

extension HostFacts {
  /// Whether names are asked of Docker's own resolver, as on each network that a user made.
  var hasDockerResolver: Bool { resolver?.nameServerTexts.contains(DockerName.resolver) ?? false }
}
