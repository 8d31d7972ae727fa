// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import Sys

// The name: what a program here gets for it, and who says so.
extension Doctor {
  /// A look-up that takes longer than this has met a server that does not answer, in nanoseconds.
  private static let patience: Int64 = 1_000_000_000

  /// The target's addresses, as a program here gets them. This place is looked at meanwhile.
  func lookUp() -> [SocketAddress] {
    if let addresses = Resolver.immediate(host: endpoint.host, port: endpoint.port) {
      examinePlace()
      if addresses.count > 1 {
        add(.name, .ok, "\(endpoint.hostText) is \(addresses.map { $0.host }.joined(separator: " and ")) everywhere")
      }
      return addresses
    }
    let start = Instant.now
    do throws(SystemError) {
      let resolver = try Resolver(host: endpoint.host, port: endpoint.port)
      examinePlace()
      // The half is for what comes after the name.
      let limit = Deadline(nanoseconds: deadline.remaining / 2)
      var poll = Poll()
      resolver.add(to: &poll)
      var isAsked = false
      if try !poll.wait(until: Deadline(nanoseconds: Self.patience, after: start).earlier(limit)) {
        isAsked = true
        askServers()
        guard try poll.wait(until: limit) else {
          add(.name, .failure, "DNS_TIMEOUT", "no answer for \(endpoint.hostText) in \(elapsed(start))")
          return []
        }
      }
      let time = elapsed(start)
      do throws(ResolveError) {
        return found(try resolver.finish(), in: time, isSlow: isAsked)
      } catch {
        if !isAsked { askServers() }
        let failure = NameFailure(error, host: endpoint.host)
        // What the servers say one by one is more exact than what the C library makes of it.
        let code = failure.code == "DNS_UNREACHABLE" ? serversCode ?? failure.code : failure.code
        add(.name, .failure, code, failure.meaning)
        return []
      }
    } catch {
      add(.name, .failure, "DNS_FAILED", "the look-up failed: \(error.operation): \(error.text)")
      return []
    }
  }

  private func elapsed(_ start: Instant) -> String { shownDuration(Instant.now.nanoseconds(since: start)) }

  private func found(_ addresses: [SocketAddress], in time: String, isSlow: Bool) -> [SocketAddress] {
    let texts = addresses.map { $0.host }
    let shown = texts.prefix(8).joined(separator: " ") + (texts.count > 8 ? " and \(texts.count - 8) more" : "")
    let isInFile = !HostsFile.system.entries(named: endpoint.host).isEmpty
    let source = isInFile ? "by /etc/hosts" : "by \((host.resolver?.nameServerTexts ?? []).joined(separator: " or "))"
    let text = "\(endpoint.hostText) is \(shown), \(source), in \(time)"
    if isSlow {
      add(.name, .warning, "DNS_TIMEOUT", text + ": a name server does not answer, and every look-up waits for it")
    } else {
      add(.name, .ok, text)
    }
    return addresses
  }

  /// Asks each server by itself, for what it says differently from the others.
  private func askServers() {
    guard
      let report = try? DNSReport(
        endpoint.host, [.a, .aaaa], servers: [], timeout: min(Self.patience, deadline.remaining / 4), tries: 1,
        environment: environment)
    else { return }
    for server in report.servers {
      let name = server.step.map { $0.name.text } ?? endpoint.hostText
      let title = server.text + (server.isDocker ? " (Docker's resolver)" : "")
      add(.name, server.code == "OK" ? .ok : .note, server.code, "\(title) says of \(name): \(server.meaning)")
    }
  }

  /// The code that all servers that were asked agree on, or the most telling one.
  private var serversCode: String? {
    let codes = checks.filter { $0.layer == .name && $0.mark == .note }.map { $0.code }
    return ["DNS_SERVFAIL", "DNS_REFUSED", "DNS_TIMEOUT"].first { codes.contains($0) }
  }

  /// Asks Docker's resolver which containers the addresses are.
  func nameContainers(_ addresses: [SocketAddress]) {
    guard surroundings.hasDockerResolver else { return }
    let own = addresses.compactMap { $0.ip?.0.unmapped }.filter { !$0.isLoopback }
    for name in DockerName.names(of: own, until: deadline) {
      surroundings.container = surroundings.container ?? name.container
      add(.name, .ok, "\(name.address.text) is the container \(name.container) on the network \(name.network)")
    }
  }
}
