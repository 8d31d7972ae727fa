// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import Health
internal import HealthProbe
internal import Netlink
internal import Sys
internal import TLS

// The server at each address: what it speaks, TLS, HTTP/2 and the health of its services.
extension Doctor {
  /// The most addresses whose servers are spoken to: each takes a share of the time.
  private static let maxServers = 8
  /// How long a server has to begin HTTP/2 before it is asked for TLS, in nanoseconds.
  private static let openingTime: Int64 = 3_000_000_000

  /// What a server is, in the words of the diagnosis; where it is not well, nothing.
  private typealias Success = String

  /// Speaks to the servers at some addresses; what the first one that is well serves, nil where none is.
  func examineServers(at addresses: [SocketAddress]) -> String? {
    var success: String?
    for (index, address) in addresses.prefix(Self.maxServers).enumerated() {
      guard !deadline.hasPassed, waiter.termination == nil else { break }
      let parts = min(addresses.count, Self.maxServers) - index
      let limit = Deadline(nanoseconds: deadline.remaining / Int64(parts))
      guard let found = examineServer(at: address, until: limit) else { continue }
      noteWell(address)
      success = success ?? found
    }
    if addresses.count > Self.maxServers {
      add(.speech, .note, "\(addresses.count - Self.maxServers) more addresses were not spoken to")
    }
    return success
  }

  private func examineServer(at address: SocketAddress, until limit: Deadline) -> Success? {
    guard options.security != .tls else { return examineTLS(at: address, until: limit) }
    let name = address.text
    let opening = options.security == .detected ? limit.earlier(Deadline(nanoseconds: Self.openingTime)) : limit
    switch http2(at: address, tls: nil, until: opening) {
    case .success(let findings):
      add(.speech, .ok, "\(name) speaks HTTP/2 in the clear", at: name)
      examineHTTP2(findings, at: address)
      guard options.expectation == .grpc else { return "speaks HTTP/2 in the clear" }
      return examineHealth(at: address, isSecure: false, until: limit)
    case .failure(let fault):
      guard fault.code == .serverSpeaksTLS else {
        add(.speech, .failure, fault.diagnosis, fault.programReason, at: name)
        return nil
      }
      guard options.security == .detected else {
        add(.speech, .failure, "PLAINTEXT_TO_TLS", "\(name) speaks TLS, and clients come without it", at: name)
        return nil
      }
      return examineTLS(at: address, until: limit)
    }
  }

  // MARK: - TLS

  private func examineTLS(at address: SocketAddress, until limit: Deadline) -> Success? {
    let name = address.text
    guard let endpoint = try? Endpoint([name]) else { return nil }
    let outcome: Result<TLSFindings, Fault>
    do throws(Fault) {
      outcome = .success(
        try TLSProbe(endpoint: endpoint, configuration: options.tls, waiter: waiter, deadline: limit).run())
    } catch { outcome = .failure(error) }
    let report = TLSReport(
      endpoint: endpoint, serverName: options.serverName, outcome: outcome, minimumDays: options.minimumDays,
      needsHTTP2: options.expectation > .tls, now: secondsSince1970())
    guard case .success(let findings) = outcome else {
      for finding in report.findings { add(.tls, finding.mark, finding.code, finding.text, at: name) }
      return nil
    }
    add(.speech, .ok, "\(name) speaks TLS", at: name)
    for finding in report.findings { add(.tls, finding.mark, finding.code, finding.text, at: name) }
    guard findings.aftermath == nil else { return nil }
    let success = "speaks \(findings.facts.version.name)"
    guard options.expectation > .tls, findings.facts.alpn == "h2" else { return success }
    switch http2(at: address, tls: lenientTLS, until: limit) {
    case .success(let findings):
      examineHTTP2(findings, at: address)
      guard options.expectation == .grpc else { return "speaks HTTP/2 over TLS" }
      return examineHealth(at: address, isSecure: true, until: limit)
    case .failure(let fault):
      add(.http2, .failure, fault.diagnosis, fault.programReason, at: name)
      return nil
    }
  }

  // MARK: - HTTP/2

  private func http2(
    at address: SocketAddress, tls: TLSOptions?, until limit: Deadline
  ) -> Result<HTTP2Findings, Fault> {
    do throws(Fault) {
      return .success(try HTTP2Probe(tls: tls, pings: 1, waiter: waiter).run([address], until: limit))
    } catch { return .failure(error) }
  }

  private func examineHTTP2(_ findings: HTTP2Findings, at address: SocketAddress) {
    let name = address.text
    var words = ["sent its SETTINGS" + (findings.timings.settings.map { " after \(shownDuration($0))" } ?? "")]
    if let time = findings.acknowledgement { words.append("acknowledged ours after \(shownDuration(time))") }
    if let time = findings.pings.first { words.append("answered a PING in \(shownDuration(time))") }
    add(.http2, .ok, "\(name) \(words.joined(separator: ", "))", at: name)
    for problem in findings.problems { add(.http2, .failure, problem.code, problem.text, at: name) }
  }

  // MARK: - Health

  /// Asks the health service; nil where there was no time for that, or it could not be asked.
  private func examineHealth(at address: SocketAddress, isSecure: Bool, until limit: Deadline) -> Success? {
    var isAsked = false
    var statuses: [String] = []
    for _ in 0..<options.count where !limit.hasPassed {
      let check: HealthCheck
      do throws(HealthCheck.Refusal) { check = try healthCheck(at: address, isSecure: isSecure, until: limit) } catch {
        add(.health, .unknown, "UNDETERMINED", error.line, at: address.text)
        return nil
      }
      isAsked = true
      guard statuses.isEmpty || check.fault != nil || check.services.contains(where: { $0.fault != nil }) else {
        continue
      }
      report(check, at: address.text)
      statuses += check.services.compactMap { $0.status }
    }
    guard isAsked else { return nil }
    if !statuses.isEmpty { examineSize(at: address, isSecure: isSecure, until: limit) }
    let how = isSecure ? "over TLS" : "in the clear"
    return "serves gRPC \(how)" + (statuses.first.map { ", and its health service says \($0)" } ?? "")
  }

  private func report(_ check: HealthCheck, at name: String) {
    if let fault = check.fault { add(.health, .failure, fault.diagnosis, fault.programReason, at: name) }
    for service in check.services {
      let title = service.name.isEmpty ? "the server as a whole" : service.name.safeForDisplay
      guard let fault = service.fault else {
        let time = check.callTime.map { ", in \(shownDuration($0))" } ?? ""
        add(.health, .ok, "\(name) says of \(title): \(service.status ?? "")\(time)", at: name)
        continue
      }
      // A server without the health service may serve all the same.
      let mark: Mark = fault.code == .notImplemented ? .warning : .failure
      add(.health, mark, service.diagnosis, "\(title): \(fault.programReason)", at: name)
    }
  }

  private func healthCheck(
    at address: SocketAddress, isSecure: Bool, until limit: Deadline
  ) throws(HealthCheck.Refusal) -> HealthCheck {
    let time = "\(max(1, limit.remaining / 1_000_000))ms"
    var arguments = ["-addr=" + address.text, "-connect-timeout=" + time, "-rpc-timeout=" + time, "-no-proxy"]
    let services = options.services
    arguments.append(services.count == 1 ? "-service=" + services[0] : "-services=" + services.joined(separator: ","))
    return try HealthCheck(
      arguments: arguments, tls: isSecure ? lenientTLS : nil, authority: endpoint.address, environment: environment,
      waiter: waiter)
  }

  /// How long a large request may take, in nanoseconds: by then, its packets are sent again where they are lost.
  private static let sizeTime: Int64 = 1_000_000_000
  /// How many bytes it has: more than two packets of the usual size, less than any server refuses.
  private static let size = 4_096

  /// Whether packets as large as this place sends them arrive. The packets up to here were small ones.
  private func examineSize(at address: SocketAddress, isSecure: Bool, until limit: Deadline) {
    let patience = limit.earlier(Deadline(nanoseconds: Self.sizeTime))
    guard
      case .success(let connection) = dial(
        address.text, proxies: .none, tls: isSecure ? lenientTLS : nil, until: patience)
    else { return }
    defer { connection.close() }
    // A field that nobody knows, which every receiver of Protocol Buffers skips: number 15, length-delimited.
    let field: [UInt8] = [0x7A, UInt8(Self.size & 0x7F) | 0x80, UInt8(Self.size >> 7)]
    let message = HealthCheckRequest(service: "").encoded + field + [UInt8](repeating: 0, count: Self.size)
    let request = ClientRequest(
      path: HealthMethod.check, authority: endpoint.address, isSecure: isSecure, userAgent: "sonde/" + sondeVersion,
      timeout: patience.remaining)
    do throws(Fault) {
      let call = try connection.start(request, kind: .unary)
      try call.send(message, isLast: true, until: patience)
      while let event = try call.nextEvent(until: patience) {
        if case .ended = event { return }
      }
    } catch {
      let info = TCPInfo(connection.tcpInfo.span)
      guard info.unacknowledged > 0, info.totalRetransmits > 0 else { return }
      add(
        .http2, .failure, "MTU_BLACKHOLE",
        "\(address.text) answers small packets, and those of a request of \(Self.size) bytes are not acknowledged: "
          + "\(info.totalRetransmits) were sent again, at a path MTU of \(info.pathMTU)", at: address.text)
    }
  }

  // MARK: - Proxies

  private func dial(
    _ place: String, proxies: ProxyRules, tls: TLSOptions?, until limit: Deadline
  ) -> Result<Connection, Fault> {
    do throws(Fault) {
      guard let target = try? Target(place) else { throw Fault(.badTarget, place) }
      var options = DialOptions(target: target)
      options.proxies = proxies
      options.tls = tls
      return .success(try Dialer(options, waiter: waiter).attempt(until: limit))
    } catch { return .failure(error) }
  }

  /// Whether clients that obey the variables for proxies reach the target: this examination goes without.
  func examineProxy() {
    guard options.expectation > .tls, !deadline.hasPassed, waiter.termination == nil else { return }
    let rules = ProxyRules(environment: environment)
    let proxy: Proxy
    do throws(Fault) {
      guard let found = try rules.proxy(host: endpoint.host, port: endpoint.port) else { return }
      proxy = found
    } catch { return add(.proxy, .warning, "PROXY_IN_THE_WAY", error.programReason) }
    let isSecure = checks.contains { $0.layer == .tls } || options.security == .tls
    let way = "clients that obey HTTPS_PROXY go through \(proxy.text)"
    let limit = Deadline(nanoseconds: share(of: 1, atMost: 3_000_000_000))
    switch dial(endpoint.address, proxies: rules, tls: isSecure ? lenientTLS : nil, until: limit) {
    case .success(let connection):
      connection.close()
      add(.proxy, .note, "\(way), and reach the target so, too")
    case .failure(let fault):
      add(.proxy, .warning, "PROXY_IN_THE_WAY", "\(way), and fail: \(fault.summary)")
    }
  }
}
