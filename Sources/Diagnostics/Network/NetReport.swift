// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import Netlink
internal import Sys

/// What `netdiag net` has found: where this process is, and what in that may keep it from a server.
struct NetReport: Report {
  static let command = "net"

  /// What may be what is wrong.
  struct Warning: Equatable {
    /// The stable code.
    let code: String
    /// What it means, without a full stop.
    let text: String
  }

  let network: NetworkFacts
  let host: HostFacts
  /// The answer for one host; nil where none was asked for.
  let sameNetwork: SameNetwork?
  /// What Docker's resolver calls the own addresses: so are the networks known by name.
  let dockerNames: [DockerName]
  /// What may be wrong, the most fundamental first.
  let warnings: [Warning]

  /// A report of what was found.
  init(
    network: NetworkFacts, host: HostFacts, sameNetwork: SameNetwork? = nil, dockerNames: [DockerName] = []
  ) {
    (self.network, self.host, self.sameNetwork, self.dockerNames) = (network, host, sameNetwork, dockerNames)
    warnings = (network.failure == nil ? Self.warnings(of: network) : []) + Self.warnings(of: host)
  }

  /// The worst that is said. The answer for one host, where it was asked for, is all that counts.
  var worst: Mark {
    if let sameNetwork { return sameNetwork.answer.mark }
    if network.failure != nil { return .unknown }
    return warnings.isEmpty ? .ok : .warning
  }

  /// The code of the worst.
  var code: String {
    if let sameNetwork { return sameNetwork.answer.code }
    if network.failure != nil { return "UNDETERMINED" }
    return warnings.first?.code ?? "OK"
  }

  var error: String? { network.failure }

  // MARK: - Warnings

  /// Descriptors are nearly used up where fewer than a tenth are left.
  private static let nearlyUsedUp: (used: UInt64, of: UInt64) = (9, 10)

  private static func warnings(of network: NetworkFacts) -> [Warning] {
    var warnings: [Warning] = []
    let used = network.interfaces.filter { $0.isInUse && $0.hasAddress }
    if used.isEmpty {
      warnings.append(
        Warning(code: "NO_ADDRESS", text: "no interface but loopback has an address: no other machine can be reached"))
    } else if network.defaultRoutes.isEmpty {
      warnings.append(
        Warning(
          code: "NO_DEFAULT_ROUTE", text: "no default route: only the networks of the interfaces can be reached"))
    }
    // Packets that fit one interface are dropped at the other where nobody may say so.
    if let largest = used.map({ $0.link.mtu }).max() {
      for interface in used where interface.link.mtu < largest {
        warnings.append(
          Warning(
            code: "MTU_LOWER",
            text: "the MTU of \(interface.name) is \(interface.link.mtu), that of others \(largest): large packets may "
              + "be lost on the way through it"))
      }
    }
    return warnings
  }

  private static func warnings(of host: HostFacts) -> [Warning] {
    var warnings: [Warning] = []
    if host.resolver?.hasDefaultNameServer ?? true {
      let what = host.resolver == nil ? "/etc/resolv.conf cannot be read" : "/etc/resolv.conf names no name server"
      warnings.append(Warning(code: "NO_NAMESERVER", text: "\(what): names are asked of this machine itself"))
    }
    for (name, descriptors) in [("this process", host.descriptors)] + host.named {
      guard let used = descriptors.used, let soft = descriptors.soft, soft < 1 << 32 else { continue }
      guard UInt64(used) * nearlyUsedUp.of >= soft * nearlyUsedUp.used else { continue }
      warnings.append(
        Warning(
          code: "FD_LIMIT", text: "\(name) has \(used) of \(soft) descriptors open: without one, no connection is taken"
        ))
    }
    if host.trustStore == nil {
      warnings.append(
        Warning(
          code: "NO_CA_STORE",
          text: "there are no certificates of authorities: every TLS server is unknown unless a CA is given"))
    }
    return warnings
  }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let sameNetwork {
      write(sameNetwork, to: &output)
      return
    }
    if let failure = network.failure {
      output.line(.unknown, "interface    the kernel does not tell networks: \(failure)")
    }
    for interface in network.interfaces { write(interface, to: &output) }
    for name in dockerNames {
      write("network", "\(name.network): \(name.address.text) is the container \(name.container) there", to: &output)
    }
    for route in network.routes { write("route", text(of: route), to: &output) }
    if network.routesLeftOut > 0 { write("route", "\(network.routesLeftOut) more", to: &output) }
    for neighbour in network.neighbours {
      let isMissing = neighbour.state == .failed || neighbour.state == .incomplete
      write("neighbour", text(of: neighbour), mark: isMissing ? .note : .ok, to: &output)
    }
    if network.neighboursLeftOut > 0 { write("neighbour", "\(network.neighboursLeftOut) more", to: &output) }
    writeHost(to: &output)
    for warning in warnings { output.line(.warning, warning.text) }
  }

  private func write(_ subject: String, _ text: String, mark: Mark = .ok, to output: inout TextOutput) {
    output.line(mark, subject.padded(to: 13) + text)
  }

  private func write(_ answer: SameNetwork, to output: inout TextOutput) {
    let words =
      switch answer.answer {
      case .yes: "the same network"
      case .no: "not the same network"
      case .undetermined: "not known whether it is the same network"
      }
    output.line(answer.answer.mark, "\(words): \(answer.reason)")
    guard answer.addresses.count > 1 else { return }
    for address in answer.addresses { output.detail("\(address.address.text) \(address.reason)") }
  }

  private func write(_ interface: NetworkFacts.Interface, to output: inout TextOutput) {
    let link = interface.link
    // Loopback and tunnels work without saying so.
    let state = link.state == .unknown && link.flags.contains(.up) ? "up" : link.state.name
    var words = [state, "mtu \(link.mtu)"]
    if !link.kind.isEmpty { words.append(link.kind.safeForDisplay) }
    if !link.hardwareAddress.isEmpty, !link.flags.contains(.loopback) {
      words.append(link.hardwareAddress.hardwareAddressText)
    }
    write("interface", "\(interface.name)  " + words.joined(separator: ", "), to: &output)
    for address in interface.addresses {
      let scope = address.scope == .global ? "" : " (\(address.scope?.name ?? "scope of its own"))"
      output.detail("\(address.address.text)/\(address.prefixLength)\(scope)")
    }
  }

  private func text(of route: RouteRecord) -> String {
    var text = route.destinationText
    if route.isDefault, route.destination.isIPv6 { text += " (IPv6)" }
    if route.kind != .unicast { text += " \(route.kind?.name ?? "of an unknown kind")" }
    text += route.nextHops.map { hop in
      let gateway = hop.gateway.map { " via \($0.text)" } ?? ""
      return gateway + (hop.interface == 0 ? "" : " on \(network.name(ofInterface: hop.interface))")
    }.joined(separator: ",")
    if let source = route.source { text += " from \(source.text)" }
    if route.metric > 0 { text += " metric \(route.metric)" }
    if let mtu = route.mtu { text += " mtu \(mtu)" }
    return route.table == RouteRecord.mainTable ? text : text + " in table \(route.table)"
  }

  private func text(of neighbour: NeighbourRecord) -> String {
    var text = "\(neighbour.address.text) on \(network.name(ofInterface: neighbour.interface))"
    if !neighbour.hardwareAddress.isEmpty { text += " is \(neighbour.hardwareAddress.hardwareAddressText)" }
    return text + " \(neighbour.state?.name ?? "in an unknown state")"
  }

  private func writeHost(to output: inout TextOutput) {
    write("host", host.hostName.isEmpty ? "without a name" : host.hostName.safeForDisplay, to: &output)
    if let container = host.containerText { write("container", container, to: &output) }
    if let resolver = host.resolver { write(resolver, to: &output) }
    for proxy in host.proxies {
      write("proxy", "\(proxy.name)=\(proxy.value.safeForDisplay)", mark: .note, to: &output)
    }
    for line in host.rights.lines { write("rights", line, to: &output) }
    for (name, descriptors) in [("this process", host.descriptors)] + host.named {
      write("descriptors", "\(name): \(descriptors.text)", to: &output)
    }
    if let ports = host.ephemeralPorts {
      let first = host.firstUnprivilegedPort.map { ", listening without privilege from \($0)" } ?? ""
      write("ports", "connecting from \(ports.lowerBound) to \(ports.upperBound)\(first)", to: &output)
    }
    if let store = host.trustStore { write("authorities", store.safeForDisplay, to: &output) }
  }

  private func write(_ resolver: ResolverConfiguration, to output: inout TextOutput) {
    var parts = ["name servers " + resolver.nameServerTexts.joined(separator: " ")]
    if !resolver.searchDomains.isEmpty { parts.append("search " + resolver.searchTexts.joined(separator: " ")) }
    let options = resolver.options
    parts.append("ndots \(options.ndots), timeout \(options.timeout)s, attempts \(options.attempts)")
    write("resolver", parts.joined(separator: ", "), to: &output)
    for remark in resolver.remarks {
      let place = remark.line == 0 ? "a variable" : "/etc/resolv.conf line \(remark.line)"
      write("resolver", "\(place): \(remark.message)", mark: .note, to: &output)
    }
  }
}

extension ResolverConfiguration {
  /// The servers as the file names them.
  var nameServerTexts: [String] {
    nameServers.map { $0.address.text + ($0.zone.isEmpty ? "" : "%" + $0.zone.safeForDisplay) }
  }

  /// The domains that names are searched in.
  var searchTexts: [String] { searchDomains.map { $0.text.safeForDisplay } }
}

extension HostFacts {
  /// Process 1 with its descriptors, where they are seen.
  fileprivate var named: [(String, Descriptors)] {
    firstProcess.map { [("process 1 (\($0.command.safeForDisplay))", $0.descriptors)] } ?? []
  }

  fileprivate var containerText: String? {
    guard !container.signs.isEmpty else { return nil }
    let signs = container.signs.joined(separator: ", ")
    return container.runtime.map { "\($0.safeForDisplay): \(signs)" } ?? signs
  }
}

extension Descriptors {
  fileprivate var text: String {
    let used = used.map { "\($0) open" } ?? "open ones not known"
    let soft = soft.map { $0 == .max ? "no limit" : "limit \($0)" } ?? "limit not known"
    let hard = hard.map { $0 == .max ? "" : ", at most \($0)" } ?? ""
    return "\(used), \(soft)\(hard)"
  }
}

extension ProcessRights {
  fileprivate var lines: [String] {
    var words: [String] = []
    if let userID { words.append("uid \(userID)") }
    if let groupID { words.append("gid \(groupID)") }
    if let hasNoNewPrivileges { words.append(hasNoNewPrivileges ? "no new privileges" : "new privileges possible") }
    if let systemCallFilter { words.append("seccomp \(systemCallFilter.name)") }
    var lines = [words.joined(separator: ", ")]
    if let effective { lines.append("capabilities: \(effective.text)") }
    if let bounding { lines.append("capabilities that can be gained: \(bounding.text)") }
    return lines
  }
}
