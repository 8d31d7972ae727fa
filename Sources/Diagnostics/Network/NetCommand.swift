// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import Netlink
internal import Sys

/// `netdiag net`.
let netCommand = Netdiag.Command(
  "net", summary: "tells the networks, names, proxies, rights and limits of this place", operands: "",
  groups: [
    FlagGroup(
      "Network",
      [
        Flag(
          "same-network", .string, "HOST", summary: "tell only whether a host is on a network of this machine",
          details: "HOST is a name or an address, without a port. The exit code is 0 for yes, 1 for no and 3 where it "
            + "cannot be determined.", hasEnvironment: false)
      ])
  ]
) { (invocation) throws(UsageError) in
  if let word = invocation.flags.operands.first { throw UsageError(line: "\(word.quoted) is one word too many") }
  let asked =
    invocation.flags.isGiven("same-network") ? try Endpoint(host: invocation.flags.string("same-network")) : nil
  let report = NetReport(asked, environment: invocation.environment)
  return invocation.finish(report)
}

extension NetReport {
  /// Looks around and, where a host was asked for, at the way to it.
  fileprivate init(_ asked: Endpoint?, environment: (String) -> String?) {
    let host = HostFacts(environment: environment)
    do throws(NetlinkError) {
      var socket = try NetlinkSocket(.route)
      let network = NetworkFacts(&socket)
      let answer = asked.map { SameNetwork($0, socket: &socket, network: network) }
      // The one answer that was asked for does without names.
      let own = network.interfaces.flatMap { $0.addresses.map { $0.address } }
      let named = own.filter { !$0.isLoopback && !$0.isLinkLocal }
      let isAsked = asked == nil && host.hasDockerResolver
      self.init(
        network: network, host: host, sameNetwork: answer,
        dockerNames: isAsked ? DockerName.names(of: named, until: .never) : [])
    } catch {
      let failure = "the kernel does not tell networks: \(error.text)"
      let answer = asked.map { SameNetwork(host: $0.host, addresses: [], failure: failure) }
      self.init(network: NetworkFacts(failure: error.text), host: host, sameNetwork: answer)
    }
  }
}
