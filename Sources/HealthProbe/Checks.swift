// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import Health
internal import Protobuf
internal import Sys

/// The checks of one run: once, or again and again until all is SERVING.
final class Checks {
  /// The first pause between rounds of `-wait`, in nanoseconds, and the longest.
  private static let firstPause: Int64 = 50_000_000
  private static let longestPause: Int64 = 500_000_000

  private let client: HealthClient
  private let options: ProbeOptions
  private let verbose: Verbose
  private let waiter: Waiter
  private let deadline: Deadline
  private var progress: Progress

  /// The services of the last round, where there may be several.
  private(set) var services: [(name: String, outcome: Outcome)] = []

  init(_ client: HealthClient, _ options: ProbeOptions, _ verbose: Verbose, _ waiter: Waiter, _ deadline: Deadline) {
    self.client = client
    self.options = options
    self.verbose = verbose
    self.waiter = waiter
    self.deadline = deadline
    progress = Progress(isWanted: options.wait != nil && !options.isVerbose && !options.writesJSON)
  }

  /// Runs the checks; the outcome that the process ends with.
  func run() -> Outcome {
    guard let wait = options.wait else { return round(until: deadline) }
    let end = Deadline(nanoseconds: wait).earlier(deadline)
    var pause = Self.firstPause
    var last: (outcome: Outcome, services: [(name: String, outcome: Outcome)])?
    while true {
      let outcome = round(until: end)
      if let last, end.hasPassed, outcome.hasTimedOut {
        // A round that the end cut short says less than the whole one before it.
        services = last.services
        return finish(last.outcome)
      }
      guard outcome.mayPass, !end.hasPassed else { return finish(outcome) }
      last = (outcome, services)
      progress.show("waiting: " + (outcome.fault?.summary ?? outcome.line), left: end.remaining)
      do throws(Fault) { try waiter.sleep(until: Deadline(nanoseconds: pause).earlier(end)) } catch {
        return finish(.cancelled(error))
      }
      if end.hasPassed { return finish(outcome) }
      pause = min(pause * 2, Self.longestPause)
    }
  }

  private func finish(_ outcome: Outcome) -> Outcome {
    progress.clear()
    return outcome
  }

  /// One round: a connection, if there is none, and what was asked for.
  private func round(until end: Deadline) -> Outcome {
    services = []
    let start = Instant.now
    let window = min(options.connectTimeout, end.remaining)
    verbose.tell("establishing connection")
    do throws(DialError) { try client.connect(until: Deadline(nanoseconds: window, after: start)) } catch {
      return Outcome(error, address: options.address, window: shown(options.connectTimeout, window))
    }
    let connectTime = Instant.now.nanoseconds(since: start)
    verbose.tell("connection established (took \(GoDuration.format(connectTime)))")
    let outcome: Outcome
    switch options.subject {
    case .connection: return .connected
    case .service(let name): outcome = check(name, until: end)
    case .services(let names): outcome = check(names, until: end)
    case .all: outcome = checkAll(until: end)
    }
    if outcome.status != nil {
      verbose.tell(
        "time elapsed: connect=\(GoDuration.format(connectTime)) rpc=\(GoDuration.format(client.rpcTime ?? 0))")
    }
    return outcome
  }

  private func check(_ name: String, until end: Deadline) -> Outcome {
    let window = min(options.rpcTimeout, end.remaining)
    return outcome(of: client.check(name, until: Deadline(nanoseconds: window)), name, window) { bytes in
      do throws(WireError) { return Outcome(try HealthCheckResponse(decoding: bytes).status, service: name) } catch {
        return self.undecodable(name)
      }
    }
  }

  private func check(_ names: [String], until end: Deadline) -> Outcome {
    for name in names {
      let outcome = check(name, until: end)
      services.append((name, outcome))
      if outcome.fault?.code == .cancelled { break }
    }
    return worst()
  }

  /// Every service that the server lists. A server without List is asked as a whole.
  private func checkAll(until end: Deadline) -> Outcome {
    let window = min(options.rpcTimeout, end.remaining)
    let answer = client.list(until: Deadline(nanoseconds: window))
    if case .failure(let status, _) = answer, status.code == .unimplemented {
      verbose.tell("the server does not list its services: asking for it as a whole")
      return check("", until: end)
    }
    return outcome(of: answer, "", window) { bytes in
      do throws(WireError) {
        let statuses = try HealthListResponse(decoding: bytes).statuses
        self.services = statuses.sorted { $0.key < $1.key }.map { ($0.key, Outcome($0.value, service: $0.key)) }
        return self.worst()
      } catch { return self.undecodable("") }
    }
  }

  private func outcome(of answer: Answer, _ name: String, _ window: Int64, _ read: ([UInt8]) -> Outcome) -> Outcome {
    switch answer {
    case .message(let bytes): read(bytes)
    case .failure(let status, let fault):
      Outcome(status, service: name, fault: fault, peer: client.peerName, namesFlags: options.namesFlags)
    case .timedOut(let fault): Outcome(timedOut: fault, within: shown(options.rpcTimeout, window))
    case .cancelled(let fault): .cancelled(fault)
    }
  }

  private func undecodable(_ name: String) -> Outcome {
    let status = Status(
      .internal, "grpc: failed to unmarshal the received message: proto: cannot parse invalid wire-format data")
    return Outcome(status, service: name, fault: nil, peer: client.peerName)
  }

  /// The outcome that counts for all: the most severe one, the first of equals. A list of nothing is healthy.
  private func worst() -> Outcome {
    var worst = Outcome(.serving, service: "")
    for (_, outcome) in services where outcome.code.severity > worst.code.severity { worst = outcome }
    return worst
  }

  /// A timeout as it is told: the flag's own where it was what counted, else the longer one that left less than it.
  private func shown(_ flag: Int64, _ window: Int64) -> Int64 {
    window >= flag ? flag : min(options.wait ?? .max, options.timeout ?? .max)
  }
}

/// A line on the terminal that tells what is waited for and is gone in the end.
private struct Progress {
  private let isOn: Bool
  private var isShown = false

  init(isWanted: Bool) { isOn = isWanted && StandardStream.error.isTerminal }

  mutating func show(_ text: String, left: Int64) {
    guard isOn else { return }
    isShown = true
    let seconds = (left + 999_999_999) / 1_000_000_000
    StandardStream.error.write("\r\u{1B}[K" + text.shortened(toUTF8Count: 68) + " (\(seconds)s)")
  }

  mutating func clear() {
    if isShown { StandardStream.error.write("\r\u{1B}[K") }
    isShown = false
  }
}
