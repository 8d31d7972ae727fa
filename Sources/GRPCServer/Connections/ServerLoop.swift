// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOTransport

/// The connections of one event loop, with what they share. It belongs to the loop's thread.
final class ServerLoop: @unchecked Sendable {
  let server: ServerCore
  let executor: LoopExecutor
  let timers: CallTimers
  private(set) var isDraining = false

  private var connections: [ObjectIdentifier: any LoopConnection] = [:]
  private var sweeper: RepeatedTask?
  private var emptied: [EventLoopPromise<Void>] = []

  /// How often connections are looked after.
  private static let sweepInterval = TimeAmount.milliseconds(250)

  init(_ loop: any EventLoop, server: ServerCore) {
    self.server = server
    executor = LoopExecutor(loop)
    timers = CallTimers(loop)
  }

  func add(_ connection: any LoopConnection) {
    connections[ObjectIdentifier(connection)] = connection
    if sweeper == nil {
      sweeper = executor.loop.scheduleRepeatedTask(initialDelay: Self.sweepInterval, delay: Self.sweepInterval) {
        [weak self] _ in self?.sweep()
      }
    }
  }

  /// A connection goes on as another one, which it turned out to be.
  func replace(_ connection: any LoopConnection, with other: any LoopConnection) {
    connections[ObjectIdentifier(connection)] = nil
    connections[ObjectIdentifier(other)] = other
    if isDraining { other.drain() }
  }

  func ended(_ connection: any LoopConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    server.connectionEnded()
    if connections.isEmpty { becameEmpty() }
  }

  /// Asks every client to close; the future is done once all have.
  func drain() -> EventLoopFuture<Void> {
    isDraining = true
    let promise = executor.loop.makePromise(of: Void.self)
    emptied.append(promise)
    for connection in connections.values { connection.drain() }
    if connections.isEmpty { becameEmpty() }
    return promise.futureResult
  }

  /// Cuts every connection off.
  func stop() {
    for connection in connections.values { connection.abort() }
  }

  private func becameEmpty() {
    sweeper?.cancel()
    sweeper = nil
    executor.dismissWorkers()
    let promises = emptied
    emptied = []
    for promise in promises { promise.succeed() }
  }

  private func sweep() {
    let now = NIODeadline.now()
    for connection in connections.values { connection.sweep(now) }
  }
}
