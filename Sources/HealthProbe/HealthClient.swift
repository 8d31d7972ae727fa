// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import HTTP2
internal import Health
internal import Protobuf
internal import Sys

/// What came of a unary call.
enum Answer {
  /// The response message.
  case message([UInt8])
  /// A status that is no success, with the connection's own reason where it has one.
  case failure(Status, Fault?)
  /// Our deadline came first.
  case timedOut(Fault)
  /// A signal came first.
  case cancelled(Fault)
}

/// Calls of grpc.health.v1 over a connection that is made when it is needed and made anew when it is gone.
final class HealthClient {
  private let dialer: Dialer
  private let options: ProbeOptions
  private let authority: String
  private let metadata: Result<Metadata, MetadataError>

  /// The connection; nil before the first and after a loss.
  private(set) var connection: Connection?
  /// The timings of the last connection, also where it is gone.
  private(set) var lastTimings: Timings?
  /// How long the last call took, in nanoseconds.
  private(set) var rpcTime: Int64?

  init(_ dialer: Dialer, _ options: ProbeOptions, authority: String) {
    self.dialer = dialer
    self.options = options
    self.authority = authority
    metadata = Self.metadata(options.headers)
  }

  /// How the server is named in messages.
  var peerName: String { connection?.peerName ?? options.address }

  /// Makes the connection unless it stands.
  func connect(until deadline: Deadline) throws(DialError) {
    if let connection, connection.failure == nil, connection.goAway == nil { return }
    close()
    connection = try dialer.dial(until: deadline)
    lastTimings = connection?.timings
  }

  /// Says goodbye.
  func close() {
    connection?.close()
    connection = nil
  }

  /// Why no call about a service can be made at all; nil where one can.
  func refusal(_ service: String) -> Status? {
    if case .failure(let error) = metadata { return Status(.internal, error.message) }
    // proto3's strings are UTF-8.
    if service.isValidUnicode { return nil }
    return Status(.internal, "grpc: error while marshaling: string field contains invalid UTF-8")
  }

  /// Asks for one service's status.
  func check(_ service: String, until deadline: Deadline) -> Answer {
    if let refusal = refusal(service) { return .failure(refusal, nil) }
    return unary(HealthMethod.check, HealthCheckRequest(service: service).encoded, until: deadline)
  }

  /// Asks for every service's status.
  func list(until deadline: Deadline) -> Answer {
    if let refusal = refusal("") { return .failure(refusal, nil) }
    return unary(HealthMethod.list, [], until: deadline)
  }

  /// Starts to watch a service that ``refusal(_:)`` has nothing against.
  func watch(_ service: String, until deadline: Deadline) throws(Fault) -> Call {
    guard let connection else { throw Fault(.connectionLost, peerName) }
    let call = try connection.start(request(HealthMethod.watch, timeout: nil), kind: .serverStreaming)
    try call.send(
      HealthCheckRequest(service: service).encoded, encoding: encoding, isLast: true, until: deadline)
    return call
  }

  /// Runs a unary call. One that the server says it did not touch is sent once more: on the same connection, or on a
  /// new one where the server is leaving the old.
  private func unary(_ path: String, _ message: [UInt8], until deadline: Deadline) -> Answer {
    let start = Instant.now
    defer { rpcTime = Instant.now.nanoseconds(since: start) }
    var isRepeated = false
    while true {
      do throws(Fault) {
        guard let connection else { throw Fault(.connectionLost, peerName) }
        let end = try run(path, message, on: connection, until: deadline)
        switch end {
        case .success(let message): return .message(message)
        case .failure(let end):
          guard end.isUnprocessed, !isRepeated else {
            let reset = end.resetCode.map { Fault(reset: $0, at: connection.peerName) }
            return .failure(end.status, connection.goAway ?? connection.failure ?? reset)
          }
          isRepeated = true
          if connection.goAway != nil || connection.failure != nil { try reconnect(until: deadline) }
        }
      } catch {
        switch error.code {
        case .cancelled: return .cancelled(error)
        case .callTimeout: return .timedOut(error)
        default: return .failure(Status(.unavailable, error.summary), error)
        }
      }
    }
  }

  private func run(_ path: String, _ message: [UInt8], on connection: Connection, until deadline: Deadline)
    throws(Fault) -> Result<[UInt8], Ending>
  {
    let call: Call
    do throws(Fault) {
      call = try connection.start(request(path, timeout: deadline.remaining), kind: .unary)
    } catch {
      // The server said goodbye before the call could begin: it is as untouched as a refused one.
      guard error.code == .goAway else { throw error }
      return .failure(Ending(CallEnd(status: Status(.unavailable, "the connection is draining"), isUnprocessed: true)))
    }
    try call.send(message, encoding: encoding, isLast: true, until: deadline)
    var response: [UInt8] = []
    while let event = try call.nextEvent(until: deadline) {
      switch event {
      case .headers: break
      case .message(let bytes): response = bytes
      case .ended(let end):
        return end.status.code == .ok ? .success(response) : .failure(Ending(end))
      }
    }
    return .failure(Ending(CallEnd(status: Status(.unknown, "the call ended without an end"))))
  }

  private func reconnect(until deadline: Deadline) throws(Fault) {
    close()
    do throws(DialError) { connection = try dialer.dial(until: deadline) } catch { throw error.fault }
  }

  private var encoding: MessageEncoding { options.usesGzip ? .gzip : .identity }

  private func request(_ path: String, timeout: Int64?) -> ClientRequest {
    ClientRequest(
      path: path, authority: authority, isSecure: options.security != .plaintext, userAgent: options.fullUserAgent,
      timeout: timeout, encoding: encoding, metadata: (try? metadata.get()) ?? Metadata())
  }

  private static func metadata(_ headers: [(name: String, value: String)]) -> Result<Metadata, MetadataError> {
    var metadata = Metadata()
    for header in headers {
      do throws(MetadataError) { try metadata.append(header.name, header.value) } catch { return .failure(error) }
    }
    return .success(metadata)
  }
}

/// A call's end as the failure of a `Result`.
private struct Ending: Error {
  let status: Status
  let isUnprocessed: Bool
  let resetCode: HTTP2ErrorCode?

  init(_ end: CallEnd) {
    status = end.status
    isUnprocessed = end.isUnprocessed
    resetCode = end.resetCode
  }
}

extension ProbeOptions {
  /// What the probe calls itself, to servers and proxies.
  var fullUserAgent: String { (userAgent.isEmpty ? "" : userAgent + " ") + "sonde/" + sondeVersion }
}
