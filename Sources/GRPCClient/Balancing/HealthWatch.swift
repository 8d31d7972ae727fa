// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import Health
internal import Logging
internal import NIOCore

/// Follows what a server says about the health of a service, by `grpc.health.v1.Health/Watch` (gRFC A17).
///
/// It belongs to its loop's thread.
final class HealthWatch: ClientStreamOwner, @unchecked Sendable {
  enum Verdict: Equatable {
    case healthy
    /// Why not, in words.
    case unhealthy(String)
  }

  private let service: String
  private let connection: ClientConnection
  private let loop: ClientLoop
  private var tell: ((Verdict) -> Void)?
  private var stream: ClientStream?
  private var failures = 0
  private var timer: Scheduled<Void>?

  /// A watch of a service that tells what it learns.
  init(service: String, on connection: ClientConnection, loop: ClientLoop, tell: @escaping (Verdict) -> Void) {
    self.service = service
    self.connection = connection
    self.loop = loop
    self.tell = tell
  }

  /// Begins to ask.
  func start() {
    guard tell != nil, connection.phase == .ready else { return }
    let stream = ClientStream(on: connection, kind: .serverStreaming, receiveLimit: defaultReceiveLimit, owner: self)
    self.stream = stream
    stream.start()
  }

  /// Ends the asking; nothing more is told.
  func stop() {
    tell = nil
    timer?.cancel()
    stream?.cancel()
    stream = nil
  }

  // MARK: - From the stream

  func streamRequest(_ stream: ClientStream) -> ClientRequest {
    loop.core.request(path: HealthMethod.watch, authority: loop.core.authority)
  }

  func streamOpened(_ stream: ClientStream) {
    stream.send(MessageFrame(HealthCheckRequest(service: service).encoded).bytes, isLast: true)
  }

  func streamHasEvents(_ stream: ClientStream) {
    while tell != nil, let event = stream.nextEvent() {
      switch event {
      case .headers: break
      case .message(let bytes):
        failures = 0
        let status = (try? HealthCheckResponse(decoding: bytes))?.status ?? .unknown
        tell?(status == .serving ? .healthy : .unhealthy(status.name))
      case .ended(let end): return ended(end.status)
      }
    }
  }

  func streamDrained(_ stream: ClientStream) {}

  private func ended(_ status: Status) {
    stream?.cancel()
    stream = nil
    guard status.code != .unimplemented else {
      loop.logger.error(
        "a server knows no health service: it is taken for healthy", metadata: ["peer": "\(connection.name)"])
      tell?(.healthy)
      return
    }
    // A connection that takes no more calls says nothing about the service's health.
    guard connection.phase == .ready else { return }
    tell?(.unhealthy("its health is not known (\(status.code.constantName): \(status.message))"))
    timer = loop.eventLoop.scheduleTask(in: loop.configuration.connecting.backoff.delay(after: failures)) {
      [weak self] in self?.start()
    }
    failures += 1
  }
}
