// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Fault
internal import GRPC
public import HTTP2
public import Sys
public import TLS

/// How TLS is spoken to a server.
public struct TLSOptions {
  /// What is verified, by which roots, with which identity.
  public var context: TLSContext
  /// Whether the server must choose `h2` by ALPN, as RFC 9113 demands.
  public var requiresALPN = true
  /// The fewest seconds that the server's certificate must still be valid for.
  public var minimumValidity: Int64 = 0

  /// Options around a context.
  public init(context: TLSContext) { self.context = context }
}

/// How to reach a server.
public struct DialOptions {
  /// Where it is.
  public var target: Target
  /// When a proxy is used.
  public var proxies = ProxyRules.none
  /// TLS; nil for plaintext.
  public var tls: TLSOptions?
  /// What a proxy is told about who asks; the same as in calls.
  public var userAgent = ""
  /// Bounds on what the server may make us keep.
  public var limits = HTTP2Limits.client
  /// Whether a refused connection is final.
  public var failsFast = false

  /// Options for a target: direct, in the clear.
  public init(target: Target) { self.target = target }
}

/// Why no connection came about.
public struct DialError: Error, Equatable, Sendable {
  /// What failed last, or most tellingly.
  public let fault: Fault
  /// Whether the time ran out while there was still hope; otherwise the fault is final.
  public let ranOut: Bool
}

/// Makes connections: names, addresses, a proxy's tunnel, TLS and the first SETTINGS, each with the one deadline.
public struct Dialer {
  /// The pause before another attempt, in nanoseconds: a server that starts is found within a few of them.
  static let firstPause: Int64 = 10_000_000
  /// The longest pause: longer ones would save nothing that counts.
  static let longestPause: Int64 = 50_000_000
  /// An attempt that the deadline cut off sooner than this says less than the one before it.
  static let tellingAttempt: Int64 = 100_000_000

  private let options: DialOptions
  private let waiter: Waiter
  private let log: TransportLog?

  /// A dialer.
  public init(_ options: DialOptions, waiter: Waiter, log: TransportLog? = nil) {
    self.options = options
    self.waiter = waiter
    self.log = log
  }

  /// Tries until a connection stands, a fault is final, or the deadline comes.
  public func dial(until deadline: Deadline) throws(DialError) -> Connection {
    var pause = Self.firstPause
    var last: Fault?
    while true {
      // A signal that came while a connection was closed has ended that wait alone: here it ends the dialling.
      if let fault = waiter.cancellation { throw DialError(fault: fault, ranOut: false) }
      let start = Instant.now
      let fault: Fault
      do throws(Fault) { return try attempt(until: deadline) } catch { fault = error }
      log?.warning("connecting to \(options.target.authority) failed: \(fault.reason)")
      if fault.code.isPermanent || options.failsFast && fault.code == .connectionRefused {
        throw DialError(fault: fault, ranOut: false)
      }
      let isTelling = !deadline.hasPassed || Instant.now.nanoseconds(since: start) > Self.tellingAttempt
      let best = isTelling ? fault : last ?? fault
      let wake = Deadline(nanoseconds: pause)
      if deadline.hasPassed { throw DialError(fault: best, ranOut: true) }
      do throws(Fault) { try waiter.sleep(until: wake.earlier(deadline)) } catch {
        throw DialError(fault: error, ranOut: false)
      }
      if deadline.hasPassed { throw DialError(fault: best, ranOut: true) }
      last = best
      pause = min(pause * 2, Self.longestPause)
    }
  }

  /// Tries once.
  package func attempt(until deadline: Deadline) throws(Fault) -> Connection {
    var timings = Timings()
    var (stream, early) = try open(until: deadline, &timings)
    var facts: TLSPeerFacts?
    if let tls = options.tls {
      do throws(Fault) {
        facts = try Timings.measure(&timings.tls) { () throws(Fault) in
          try secure(stream, tls, early, until: deadline)
        }
      } catch {
        stream.close(until: Deadline(nanoseconds: 0))
        throw error
      }
      early = []
    }
    let connection = try Connection(stream, security: facts, limits: options.limits, log: log)
    do throws(Fault) {
      try Timings.measure(&timings.settings) { () throws(Fault) in try connection.handshake(early, until: deadline) }
    } catch {
      connection.close()
      throw error
    }
    connection.timings = timings
    return connection
  }

  private func secure(_ stream: ByteStream, _ tls: TLSOptions, _ early: [UInt8], until deadline: Deadline)
    throws(Fault) -> TLSPeerFacts
  {
    let facts = try stream.startTLS(tls.context, early: early, until: deadline)
    let alpn = facts.alpn
    log?.info("\(facts.version.name) with \(stream.name), \(facts.cipherSuite), ALPN \(alpn ?? "none")")
    if tls.requiresALPN, alpn != "h2" {
      throw Fault(.alpnMissing, stream.name, detail: alpn.map { "it chose \($0.quoted)" } ?? "it chose nothing")
    }
    if tls.minimumValidity > 0, let certificate = facts.chain.first {
      let left = certificate.notAfter - secondsSince1970()
      if left < tls.minimumValidity {
        throw Fault(
          .certificateExpiresSoon, certificate.subject,
          detail: "on \(certificate.notAfterText), in \(max(0, left / 86_400)) days")
      }
    }
    return facts
  }

  /// A stream to the target itself, through whatever stands between; and what the target said in the same breath.
  private func open(until deadline: Deadline, _ timings: inout Timings) throws(Fault) -> (ByteStream, [UInt8]) {
    switch options.target.endpoint {
    case .unix(let address): return (try connect(to: [address], until: deadline, &timings), [])
    case .host(let host, let port):
      guard let proxy = try options.proxies.proxy(host: host, port: port) else {
        return (try connect(host, port, until: deadline, &timings), [])
      }
      log?.info("using the proxy \(proxy.text)")
      let stream: ByteStream
      do throws(Fault) { stream = try connect(proxy.host, proxy.port, until: deadline, &timings) } catch {
        throw error.code == .cancelled ? error : Fault(.proxyUnreachable, proxy.text, detail: error.summary)
      }
      let name = (host.utf8.contains(0x3A) ? "[\(host)]" : host) + ":\(port)"
      let tunnel = ProxyTunnel(proxy, target: name, userAgent: options.userAgent)
      return (stream, try open(tunnel, on: stream, proxy, until: deadline, &timings))
    }
  }

  private func connect(_ host: String, _ port: UInt16, until deadline: Deadline, _ timings: inout Timings)
    throws(Fault) -> ByteStream
  {
    let addresses = try Timings.measure(&timings.resolve) { () throws(Fault) in
      try Connector(waiter: waiter).resolve(host, port: port, until: deadline)
    }
    return try connect(to: addresses, until: deadline, &timings)
  }

  private func connect(to addresses: [SocketAddress], until deadline: Deadline, _ timings: inout Timings)
    throws(Fault) -> ByteStream
  {
    let socket = try Timings.measure(&timings.connect) { () throws(Fault) in
      try Connector(waiter: waiter).connect(to: addresses, until: deadline)
    }
    log?.info("connected to \(socket.address.text)")
    return ByteStream(socket, waiter: waiter)
  }

  private func open(
    _ tunnel: ProxyTunnel, on stream: ByteStream, _ proxy: Proxy, until deadline: Deadline, _ timings: inout Timings
  ) throws(Fault) -> [UInt8] {
    var tunnel = tunnel
    return try Timings.measure(&timings.proxy) { () throws(Fault) in
      try stream.send(tunnel.request)
      while true {
        guard try stream.waitUntilReadable(deadline) else { throw Fault(.proxyTimeout, proxy.text) }
        switch try stream.receive() {
        case .bytes(let bytes): if let early = try tunnel.receive(bytes) { return early }
        case .endOfStream: throw tunnel.endOfFile()
        case .nothing: break
        }
      }
    }
  }
}
