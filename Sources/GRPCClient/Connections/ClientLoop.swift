// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import Logging
internal import NIOCore
internal import NIOTransport

/// A client's connections and calls on one event loop, with what they share. It belongs to the loop's thread.
final class ClientLoop: @unchecked Sendable {
  let eventLoop: any EventLoop
  let executor: LoopExecutor
  let timers: CallTimers
  /// What the client's loops share.
  let core: ClientCore
  let configuration: ClientConfiguration
  let logger: Logger
  /// Whether no more calls are taken.
  private(set) var isClosed = false

  private(set) lazy var balancer = Balancer(self)
  private var connections: [ObjectIdentifier: ClientConnection] = [:]
  private var calls = 0
  private var idleSince = NIODeadline.now()
  private var isIdleTimerSet = false
  private var emptied: [EventLoopPromise<Void>] = []

  init(_ eventLoop: any EventLoop, core: ClientCore) {
    self.eventLoop = eventLoop
    self.core = core
    executor = LoopExecutor(eventLoop)
    timers = CallTimers(eventLoop)
    configuration = core.configuration
    logger = core.configuration.logger
  }

  /// The service whose health is asked for; nil where none is, or the policy does not ask.
  var healthCheckServiceName: String? {
    let service = configuration.serviceConfig
    return service.loadBalancing.isPickFirst ? nil : service.healthCheckService
  }

  // MARK: - Connections

  func add(_ connection: ClientConnection) { connections[ObjectIdentifier(connection)] = connection }

  func remove(_ connection: ClientConnection) {
    connections[ObjectIdentifier(connection)] = nil
    becomeEmpty()
  }

  // MARK: - Calls

  func callStarted() { calls += 1 }

  func callEnded() {
    calls -= 1
    guard calls == 0 else { return }
    becomeEmpty()
    idleSince = .now()
    setIdleTimer()
  }

  /// One timer at a time looks whether the client has become idle: a timer for each call would cost more than the call.
  private func setIdleTimer() {
    guard let idleTime = configuration.idleTime, !isIdleTimerSet, !isClosed else { return }
    isIdleTimerSet = true
    eventLoop.scheduleTask(deadline: idleSince + idleTime) { [weak self] in
      guard let self else { return }
      isIdleTimerSet = false
      guard calls == 0, !isClosed else { return }
      if .now() - idleSince >= idleTime { balancer.sleep() } else { setIdleTimer() }
    }
  }

  // MARK: - The end

  /// Takes no more calls; the future is done once those that run and their connections have ended.
  func close() -> EventLoopFuture<Void> {
    isClosed = true
    let promise = eventLoop.makePromise(of: Void.self)
    emptied.append(promise)
    if calls == 0 { balancer.shutDown() }
    becomeEmpty()
    return promise.futureResult
  }

  /// Cuts every call and connection off.
  func stop() {
    isClosed = true
    balancer.shutDown()
    for connection in connections.values { connection.end("the client was closed") }
    balancer.failWaiting()
  }

  private func becomeEmpty() {
    guard isClosed, calls == 0 else { return }
    balancer.shutDown()
    guard connections.isEmpty else { return }
    let promises = emptied
    emptied = []
    for promise in promises { promise.succeed() }
  }
}
