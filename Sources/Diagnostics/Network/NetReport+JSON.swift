// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import JSON
internal import Netlink
internal import Sys

extension NetReport {
  func appendMembers(to json: inout JSONWriter) {
    json.members("warnings", warnings) { warning, json in
      json.member("code", warning.code)
      json.member("text", warning.text)
    }
    append(sameNetwork, to: &json)
    json.members("interfaces", network.interfaces, append)
    json.members("networks", dockerNames) { name, json in
      json.member("name", name.network)
      json.member("address", name.address.text)
      json.member("container", name.container)
    }
    json.members("routes", network.routes, append)
    json.member("routesLeftOut", network.routesLeftOut)
    json.members("neighbours", network.neighbours, append)
    json.member("neighboursLeftOut", network.neighboursLeftOut)
    appendHost(to: &json)
  }

  private func append(_ answer: SameNetwork?, to json: inout JSONWriter) {
    json.key("sameNetwork")
    guard let answer else { return json.null() }
    json.beginObject()
    json.member("host", answer.host.safeForDisplay)
    json.member("answer", answer.answer.rawValue)
    json.member("reason", answer.reason)
    json.members("addresses", answer.addresses) { address, json in
      json.member("address", address.address.text)
      json.member("answer", address.answer.rawValue)
      json.member("reason", address.reason)
    }
    json.endObject()
  }

  private func append(_ interface: NetworkFacts.Interface, to json: inout JSONWriter) {
    let link = interface.link
    json.member("index", link.index)
    json.member("name", interface.name)
    json.member("kind", link.kind.isEmpty ? nil : link.kind.safeForDisplay)
    json.member("up", link.flags.contains(.up))
    json.member("state", link.state.name)
    json.member("mtu", link.mtu)
    json.member("loopback", link.flags.contains(.loopback))
    json.member("hardwareAddress", link.hardwareAddress.isEmpty ? nil : link.hardwareAddress.hardwareAddressText)
    json.members("addresses", interface.addresses) { address, json in
      json.member("address", address.address.text)
      json.member("prefixLength", address.prefixLength)
      json.member("scope", address.scope?.name)
      json.member("label", address.label.isEmpty ? nil : String(systemBytes: address.label).safeForDisplay)
    }
  }

  private func append(_ route: RouteRecord, to json: inout JSONWriter) {
    json.member("destination", route.destinationText)
    json.member("ipv6", route.destination.isIPv6)
    json.member("kind", route.kind?.name)
    json.member("table", route.table)
    json.member("metric", route.metric)
    json.member("mtu", route.mtu)
    json.member("source", route.source?.text)
    json.members("nextHops", route.nextHops) { hop, json in
      json.member("interface", hop.interface == 0 ? nil : network.name(ofInterface: hop.interface))
      json.member("gateway", hop.gateway?.text)
    }
  }

  private func append(_ neighbour: NeighbourRecord, to json: inout JSONWriter) {
    json.member("address", neighbour.address.text)
    json.member("interface", network.name(ofInterface: neighbour.interface))
    let hardwareAddress = neighbour.hardwareAddress
    json.member("hardwareAddress", hardwareAddress.isEmpty ? nil : hardwareAddress.hardwareAddressText)
    json.member("state", neighbour.state?.name)
  }

  private func appendHost(to json: inout JSONWriter) {
    json.member("hostName", host.hostName.isEmpty ? nil : host.hostName.safeForDisplay)
    json.key("container")
    json.beginObject()
    json.member("isContainer", !host.container.signs.isEmpty)
    json.member("runtime", host.container.runtime?.safeForDisplay)
    json.member("signs", host.container.signs)
    json.endObject()
    json.key("resolver")
    json.beginObject()
    json.member("nameServers", host.resolver?.nameServerTexts)
    json.member("search", host.resolver?.searchTexts)
    json.member("ndots", host.resolver?.options.ndots)
    json.member("timeoutSeconds", host.resolver?.options.timeout)
    json.member("attempts", host.resolver?.options.attempts)
    json.members("remarks", host.resolver?.remarks ?? []) { remark, json in
      json.member("line", remark.line == 0 ? nil : remark.line)
      json.member("text", remark.message)
    }
    json.endObject()
    json.members("proxies", host.proxies) { proxy, json in
      json.member("name", proxy.name)
      json.member("value", proxy.value.safeForDisplay)
    }
    json.member("uid", host.rights.userID)
    json.member("gid", host.rights.groupID)
    json.member("noNewPrivileges", host.rights.hasNoNewPrivileges)
    json.member("seccomp", host.rights.systemCallFilter?.name)
    json.member("capabilities", host.rights.effective?.names)
    json.member("boundingCapabilities", host.rights.bounding?.names)
    json.key("descriptors")
    append(host.descriptors, to: &json)
    json.key("firstProcess")
    json.beginObject()
    json.member("command", host.firstProcess?.command.safeForDisplay)
    json.key("descriptors")
    append(host.firstProcess?.descriptors ?? Descriptors(used: nil, soft: nil, hard: nil), to: &json)
    json.endObject()
    json.key("ports")
    json.beginObject()
    json.member("ephemeralFirst", host.ephemeralPorts?.lowerBound)
    json.member("ephemeralLast", host.ephemeralPorts?.upperBound)
    json.member("unprivilegedFirst", host.firstUnprivilegedPort)
    json.endObject()
    json.member("trustStore", host.trustStore?.safeForDisplay)
  }

  private func append(_ descriptors: Descriptors, to json: inout JSONWriter) {
    json.beginObject()
    json.member("open", descriptors.used)
    json.member("soft", descriptors.soft)
    json.member("hard", descriptors.hard)
    json.endObject()
  }
}
