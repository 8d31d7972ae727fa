// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP1
internal import HealthProbe
internal import Sys
internal import TLS

/// What is waited for.
struct WaitTarget {
  /// What being ready means.
  enum Kind {
    /// A connection that still stands a moment later.
    case tcp(Endpoint)
    /// A connection.
    case unix(SocketAddress)
    /// A TLS handshake with a certificate that is well.
    case tls(Endpoint, TLSContext)
    /// A status below 400.
    case http(HTTPURL, TLSContext?)
    /// A health service that says SERVING.
    case grpc(Endpoint, service: String, TLSOptions?)
  }

  /// The target as it is shown: without credentials, safe to print.
  let text: String
  let kind: Kind

  /// Why a target is not ready.
  struct Reason: Error, Equatable {
    /// The stable code.
    let code: String
    /// What it means, without a full stop, safe to print.
    let meaning: String
    /// Whether waiting alone cannot help.
    let isPermanent: Bool

    init(_ code: String, _ meaning: String, isPermanent: Bool = false) {
      (self.code, self.meaning, self.isPermanent) = (code, meaning, isPermanent)
    }

    init(_ fault: Fault) { self.init(fault.diagnosis, fault.programReason, isPermanent: fault.code.isPermanent) }
  }

  /// Reads a target: `SCHEME://…`, `unix:PATH` or `HOST:PORT`. The invocation's flags say how TLS is spoken.
  init(_ text: String, _ invocation: Invocation) throws(UsageError) {
    let shown = text.safeForDisplay
    let scheme = Self.scheme(text)
    let rest = scheme.map { String(decoding: text.utf8.dropFirst($0.utf8.count + 3), as: UTF8.self) } ?? text
    if text.after("unix:") != nil || text.after("unix-abstract:") != nil {
      do throws(TargetError) {
        if case .unix(let address) = try Target(text).endpoint {
          (self.text, kind) = (shown, .unix(address))
          return
        }
      } catch { throw UsageError(line: "\(text.quoted): \(error.cause)") }
    }
    switch scheme {
    case "http"?, "https"?:
      let url = try HTTPURL(operand: text)
      var context: TLSContext?
      if url.isSecure { context = try Self.context(invocation, url.host, ["h2", "http/1.1"]) }
      (self.text, kind) = (url.text, .http(url, context))
    case "tcp"?, nil: (self.text, kind) = (shown, .tcp(try Endpoint([rest])))
    case "tls"?:
      let endpoint = try Endpoint([rest])
      (self.text, kind) = (shown, .tls(endpoint, try Self.context(invocation, endpoint.host, ["h2", "http/1.1"])))
    case "grpc"?:
      let (endpoint, service) = try Self.service(rest)
      (self.text, kind) = (shown, .grpc(endpoint, service: service, nil))
    case "grpcs"?:
      let (endpoint, service) = try Self.service(rest)
      let options = TLSOptions(context: try Self.context(invocation, endpoint.host, ["h2"]))
      (self.text, kind) = (shown, .grpc(endpoint, service: service, options))
    default:
      throw UsageError(
        line: "\(text.withoutCredentials.quoted) has none of the schemes tcp, tls, http, https, grpc and grpcs")
    }
  }

  /// What stands before `://`, in small letters (RFC 3986 section 3.1); nil where nothing does.
  private static func scheme(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    let end = bytes.indices.first { bytes[$0...].starts(with: [0x3A, 0x2F, 0x2F]) }
    return end.map { String(decoding: bytes[..<$0], as: UTF8.self).asciiLowercased }
  }

  private static func context(
    _ invocation: Invocation, _ host: String, _ alpn: [String]
  ) throws(UsageError) -> TLSContext {
    try TLSClientConfiguration(invocation, host: host, alpn: alpn).makeContext()
  }

  /// Splits `HOST:PORT/SERVICE`.
  private static func service(_ text: String) throws(UsageError) -> (Endpoint, String) {
    // A password may have a slash.
    try Endpoint.refuseCredentials(text)
    let place = text.utf8.prefix { $0 != 0x2F }
    let service = text.utf8.dropFirst(place.count + 1)
    return (try Endpoint([String(place) ?? ""]), String(service) ?? "")
  }

  // MARK: - Looking

  /// Looks once whether it is ready.
  func look(_ waiter: Waiter, environment: @escaping (String) -> String?, until deadline: Deadline) throws(Reason) {
    switch kind {
    case .tcp(let endpoint): try Self.lookTCP(endpoint, until: deadline)
    case .unix(let address): try Self.faults { () throws(Fault) in _ = try Self.connect([address], waiter, deadline) }
    case .tls(let endpoint, let context):
      try Self.faults { () throws(Fault) in
        let addresses = try Connector(waiter: waiter).resolve(endpoint.host, port: endpoint.port, until: deadline)
        let stream = try Self.connect(addresses, waiter, deadline)
        defer { stream.close(until: Deadline(nanoseconds: 0)) }
        _ = try stream.startTLS(context, until: deadline)
      }
    case .http(let url, let context): try Self.lookHTTP(url, context, waiter, until: deadline)
    case .grpc(let endpoint, let service, let tls):
      try Self.lookGRPC(endpoint, service, tls, waiter, environment, until: deadline)
    }
  }

  private static func connect(
    _ addresses: [SocketAddress], _ waiter: Waiter, _ deadline: Deadline
  ) throws(Fault) -> ByteStream {
    ByteStream(try Connector(waiter: waiter).connect(to: addresses, until: deadline), waiter: waiter)
  }

  private static func faults(_ body: () throws(Fault) -> Void) throws(Reason) {
    do throws(Fault) { try body() } catch { throw Reason(error) }
  }

  private static func lookTCP(_ endpoint: Endpoint, until deadline: Deadline) throws(Reason) {
    let addresses: [SocketAddress]
    do throws(NameFailure) { addresses = try endpoint.addresses(until: deadline) } catch {
      throw Reason(error.code, error.meaning)
    }
    let attempts = TCPProbe(timeout: deadline.remaining).connect(to: addresses)
    guard !attempts.contains(where: { $0.outcome == .open && !$0.isCutShort }), let last = attempts.last else { return }
    if let cut = attempts.last(where: { $0.isCutShort }) {
      throw Reason(
        "DEADLINE_EXPIRED",
        "\(cut.address.text) accepted, and the time was over within 100ms, for which a connection has to stand")
    }
    throw Reason(last.outcome.code, "\(last.address.text) \(last.outcome.meaning)")
  }

  private static func lookHTTP(
    _ url: HTTPURL, _ context: TLSContext?, _ waiter: Waiter, until deadline: Deadline
  ) throws(Reason) {
    var probe = HTTPProbe(url: url, waiter: waiter)
    probe.fields = HTTPProbe.defaultFields([], url)
    probe.tls = context
    let found: HTTPFindings
    do throws(Problem) { found = try probe.run(until: deadline) } catch {
      throw Reason(error.code, error.meaning, isPermanent: error.isPermanent)
    }
    // A page that is too long, or that its server cuts off, is for others to mind.
    if let status = found.status, status < 400 { return }
    if let failure = found.failure {
      throw Reason(failure.code, failure.meaning, isPermanent: failure.isPermanent)
    }
    throw Reason("HTTP_STATUS", "the status is \(found.status ?? 0)")
  }

  private static func lookGRPC(
    _ endpoint: Endpoint, _ service: String, _ tls: TLSOptions?, _ waiter: Waiter,
    _ environment: @escaping (String) -> String?, until deadline: Deadline
  ) throws(Reason) {
    let time = "\(max(1, deadline.remaining / 1_000_000))ms"
    let check: HealthCheck
    do throws(HealthCheck.Refusal) {
      check = try HealthCheck(
        arguments: [
          "-addr=" + endpoint.address, "-service=" + service, "-connect-timeout=" + time, "-rpc-timeout=" + time,
          "-no-proxy",
        ],
        tls: tls, environment: environment, waiter: waiter)
    } catch { throw Reason("BAD_TARGET", error.line, isPermanent: true) }
    if let fault = check.fault ?? check.services.compactMap({ $0.fault }).first { throw Reason(fault) }
  }
}
