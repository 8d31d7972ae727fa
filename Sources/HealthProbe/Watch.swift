// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import Health
internal import JSON
internal import Protobuf
internal import Sys

/// `-watch`: a line on standard output at each change of one service's status, until a signal or the deadline comes.
///
/// ```
///            Watch stream                 UNIMPLEMENTED
/// connect ─────────────────► streaming ─────────────────► polling by Check, once a second
///    ▲                          │ lost, or ended
///    └── pause, growing ────────┘   (the status is UNREACHABLE meanwhile)
/// ```
final class Watch {
  /// How often a server without Watch is asked, in nanoseconds.
  private static let pollInterval: Int64 = 1_000_000_000
  /// The first pause before connecting again, in nanoseconds, and the longest.
  private static let firstPause: Int64 = 100_000_000
  private static let longestPause: Int64 = 5_000_000_000

  private let client: HealthClient
  private let options: ProbeOptions
  private let verbose: Verbose
  private let waiter: Waiter
  private let deadline: Deadline
  private let service: String
  private var last: String?
  private var isServing = false
  private var usesPolling = false

  init(_ client: HealthClient, _ options: ProbeOptions, _ verbose: Verbose, _ waiter: Waiter, _ deadline: Deadline) {
    self.client = client
    self.options = options
    self.verbose = verbose
    self.waiter = waiter
    self.deadline = deadline
    if case .service(let name) = options.subject { service = name } else { service = "" }
  }

  /// Watches; the exit code, by the last status.
  func run() -> Int32 {
    var pause = Self.firstPause
    while !deadline.hasPassed {
      do throws(Stop) {
        try connect()
        pause = Self.firstPause
        if usesPolling { try poll() } else { try stream() }
      } catch {
        switch error {
        case .final(let outcome):
          client.close()
          return finish(outcome)
        case .ended: return end()
        case .lost(let fault): tell("UNREACHABLE", reason: fault)
        }
      }
      client.close()
      do throws(Fault) { try waiter.sleep(until: Deadline(nanoseconds: pause).earlier(deadline)) } catch {
        return end()
      }
      pause = min(pause * 2, Self.longestPause)
    }
    return end()
  }

  private enum Stop: Error {
    /// Nothing will change this.
    case final(Outcome)
    /// A signal or the deadline came.
    case ended
    /// The connection, or the way to it.
    case lost(Fault)
  }

  private func connect() throws(Stop) {
    let window = min(options.connectTimeout, deadline.remaining)
    do throws(DialError) { try client.connect(until: Deadline(nanoseconds: window)) } catch {
      if error.fault.code == .cancelled, last != nil { throw .ended }
      // The first connection is a check like any other; later ones are what a watcher is there to outlive.
      guard last != nil, error.ranOut || !error.fault.code.isPermanent else {
        throw .final(
          Outcome(error, address: options.address, window: min(options.connectTimeout, options.timeout ?? .max)))
      }
      throw .lost(error.fault)
    }
    verbose.tell("connection established")
  }

  private func stream() throws(Stop) {
    if let refusal = client.refusal(service) {
      throw .final(Outcome(refusal, service: service, fault: nil, peer: client.peerName))
    }
    do throws(Fault) {
      let call = try client.watch(service, until: deadline)
      while let event = try call.nextEvent(until: deadline) {
        switch event {
        case .headers: break
        case .message(let bytes):
          do throws(WireError) { tell(try HealthCheckResponse(decoding: bytes).status) } catch {
            throw Fault(.callFailed, client.peerName, detail: "its answer cannot be decoded")
          }
        case .ended(let end):
          if end.status.code == .unimplemented {
            verbose.tell("the server does not implement Watch: asking by Check")
            usesPolling = true
            return
          }
          throw client.connection?.failure
            ?? Fault(.callFailed, client.peerName, detail: "the stream ended with \(end.status.code.constantName)")
        }
      }
    } catch { throw stop(error) }
  }

  private func poll() throws(Stop) {
    while true {
      let window = min(options.rpcTimeout, deadline.remaining)
      switch client.check(service, until: Deadline(nanoseconds: window)) {
      case .message(let bytes):
        do throws(WireError) { tell(try HealthCheckResponse(decoding: bytes).status) } catch {
          throw .lost(Fault(.callFailed, client.peerName, detail: "its answer cannot be decoded"))
        }
      case .failure(let status, _) where status.code == .notFound: tell(.serviceUnknown)
      case .failure(let status, let fault):
        if status.code == .unimplemented {
          throw .final(Outcome(status, service: service, fault: fault, peer: client.peerName))
        }
        throw .lost(fault ?? Fault(.callFailed, client.peerName, detail: status.code.constantName))
      case .timedOut(let fault):
        if deadline.hasPassed { throw .ended }
        throw .lost(fault)
      case .cancelled: throw .ended
      }
      do throws(Fault) {
        try waiter.sleep(until: Deadline(nanoseconds: Self.pollInterval).earlier(deadline))
      } catch { throw .ended }
      if deadline.hasPassed { throw .ended }
    }
  }

  private func stop(_ fault: Fault) -> Stop {
    switch fault.code {
    case .cancelled: .ended
    case .callTimeout where deadline.hasPassed: .ended
    default: .lost(fault)
    }
  }

  private func tell(_ status: ServingStatus) {
    isServing = status == .serving
    tell(status.name, reason: nil)
  }

  private func tell(_ name: String, reason: Fault?) {
    if reason != nil { isServing = false }
    guard name != last else { return }
    last = name
    if let reason { StandardStream.error.write("reason: \(reason.reason)\n") }
    guard options.writesJSON else { return StandardStream.output.write("status: \(name)\n") }
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("status")
    writer.string(name)
    writer.key("ok")
    writer.boolean(isServing)
    writer.key("address")
    writer.string(options.address)
    writer.key("service")
    writer.string(service)
    if let reason {
      writer.key("reason")
      writer.string(reason.reason)
    }
    writer.endObject()
    StandardStream.output.write(writer.text + "\n")
  }

  private func end() -> Int32 {
    client.close()
    let code: ExitCode = isServing ? .healthy : last == "UNREACHABLE" || last == nil ? .connectionFailed : .unhealthy
    return options.usesDockerCodes && code != .healthy ? 1 : code.rawValue
  }

  private func finish(_ outcome: Outcome) -> Int32 {
    let report = Report(options: options, outcome: outcome)
    report.write()
    return report.exitCode
  }
}
