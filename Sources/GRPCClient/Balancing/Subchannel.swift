// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import Logging
internal import NIOCore

/// One address: its connection, and when to try for another.
///
/// ```
///        connect()              SETTINGS, and SERVING where health is asked for
/// idle ────────────► connecting ──────────────────────────────────────────────► ready
///  ▲                     │ failure                                                │
///  │ time is over        ▼                                                        │
///  ├───────────────── failed ◄── not SERVING ─────────────────────────────────────┤
///  └────────────────────────────────── GOAWAY, lost ──────────────────────────────┘
/// ```
///
/// It belongs to its loop's thread.
final class Subchannel: ClientConnectionOwner, @unchecked Sendable {
  enum State { case idle, connecting, ready, failed }

  let address: SocketAddress
  /// The address as logs write it.
  let name: String
  private(set) var state = State.idle
  /// Why it was last of no use; nil since it last was, and before the first attempt.
  private(set) var lastFailure: String?
  /// The connection that calls go to; nil where there is none, or none yet.
  private(set) var connection: ClientConnection?

  private let loop: ClientLoop
  private weak var balancer: Balancer?
  private var health: HealthWatch?
  private var keepaliveTime: TimeAmount?
  private var failures = 0
  /// No attempt before this.
  private var notBefore = NIODeadline.uptimeNanoseconds(0)
  private var timer: Scheduled<Void>?

  init(_ address: SocketAddress, loop: ClientLoop, balancer: Balancer) {
    self.address = address
    self.loop = loop
    self.balancer = balancer
    name = address.logName
    keepaliveTime = loop.configuration.keepalive.time
  }

  /// Calls that run or wait on the connection.
  var load: Int { connection?.load ?? 0 }

  /// Starts to connect, as soon as the address may be tried again.
  func connect() {
    guard state == .idle else { return }
    state = .connecting
    guard notBefore > .now() else { return attempt() }
    timer = loop.eventLoop.scheduleTask(deadline: notBefore) { [weak self] in self?.attempt() }
  }

  /// Lets go of the connection: calls that run on it go on. The address can be connected to again.
  func disconnect() {
    if state == .connecting { timer?.cancel() }
    guard connection != nil || state == .connecting else { return }
    health?.stop()
    health = nil
    let old = connection
    connection = nil
    state = .idle
    old?.drain()
  }

  /// Lets go of the connection and tells nobody any more.
  func shutDown() {
    balancer = nil
    timer?.cancel()
    disconnect()
  }

  private func attempt() {
    timer = nil
    guard balancer != nil, state == .connecting else { return }
    do {
      let new = try loop.core.connector.connect(
        to: address, name: name, on: loop, keepaliveTime: keepaliveTime, owner: self)
      connection = new
      loop.add(new)
    } catch {
      // Never while the balancer is at work.
      loop.eventLoop.execute { [weak self] in self?.failed("no session could be made (\(error))", since: .now()) }
    }
  }

  private func failed(_ why: String, since start: NIODeadline) {
    state = .failed
    lastFailure = "cannot connect to \(name): \(why)"
    notBefore = start + loop.configuration.connecting.backoff.delay(after: failures)
    failures += 1
    timer = loop.eventLoop.scheduleTask(deadline: max(notBefore, .now())) { [weak self] in
      guard let self else { return }
      timer = nil
      state = .idle
      balancer?.changed(self)
    }
    balancer?.changed(self)
  }

  /// The connection that calls went to takes no more.
  private func lost(_ old: ClientConnection) {
    connection = nil
    health?.stop()
    health = nil
    state = .idle
    let backoff = loop.configuration.connecting.backoff
    if let readySince = old.readySince, .now() - readySince >= .nanoseconds(backoff.initial) {
      failures = 0
      notBefore = .uptimeNanoseconds(0)
    } else {
      // A server that accepts connections only to end them is not asked for the next one at once.
      notBefore = old.start + backoff.delay(after: failures)
      failures += 1
    }
    balancer?.changed(self)
  }

  // MARK: - From the connection

  func connectionReady(_ connection: ClientConnection) {
    guard connection === self.connection else { return connection.drain() }
    guard let service = loop.healthCheckServiceName else { return becameReady() }
    let watch = HealthWatch(service: service, on: connection, loop: loop) { [weak self] verdict in
      self?.healthChanged(verdict)
    }
    health = watch
    watch.start()
  }

  func connectionDrains(_ connection: ClientConnection) {
    if connection === self.connection { lost(connection) }
  }

  func connectionPingedTooOften(_ connection: ClientConnection) {
    guard let time = keepaliveTime else { return }
    // A day is as good as never, and keeps the sum within bounds.
    let longer = min(time + min(time, .hours(24)), max(time, .hours(24)))
    keepaliveTime = longer
    loop.logger.notice(
      "a server was asked for signs of life too often: from now on half as often",
      metadata: ["peer": "\(name)", "interval_ms": "\(longer.nanoseconds / 1_000_000)"])
  }

  func connectionEnded(_ connection: ClientConnection) {
    guard connection === self.connection else { return }
    if connection.readySince == nil {
      self.connection = nil
      failed(connection.failure, since: connection.start)
    } else {
      lost(connection)
    }
  }

  // MARK: - Readiness

  private func becameReady() {
    state = .ready
    lastFailure = nil
    balancer?.changed(self)
  }

  private func healthChanged(_ verdict: HealthWatch.Verdict) {
    guard connection != nil else { return }
    switch verdict {
    case .healthy: becameReady()
    case .unhealthy(let why):
      state = .failed
      lastFailure = "\(name) is not healthy: \(why)"
      balancer?.changed(self)
    }
  }
}

extension SocketAddress {
  /// The address as logs write it: `127.0.0.1:50051`, `[::1]:50051`, `unix:/run/app.sock`.
  var logName: String {
    switch self {
    case .v4: "\(ipAddress ?? ""):\(port ?? 0)"
    case .v6: "[\(ipAddress ?? "")]:\(port ?? 0)"
    case .unixDomainSocket: pathname.map { "unix:\($0)" } ?? "unix:"
    }
  }
}
