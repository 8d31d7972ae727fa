// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import Sys

/// Waits for several targets at once. Each is looked at by a process of its own, so that one that stays silent holds up
/// none of the others; all of them are gone before the waiting ends.
final class Waiting {
  /// How many targets there may be: each takes a process and a pipe.
  static let maxTargets = 100
  /// How long one look may take, in nanoseconds. A dead address on an own network shows after 3.1 seconds.
  static let lookTime: Int64 = 5_000_000_000
  /// How long the end of the last looks is waited for, in nanoseconds: they end with the time, and say what they saw.
  private static let grace: Int64 = 500_000_000
  /// How often progress is shown, in nanoseconds.
  private static let progressTime: Int64 = 1_000_000_000

  private let targets: [WaitTarget]
  private let invocation: Invocation
  private let start = Instant.now
  private let deadline: Deadline
  private let interval: Int64
  private let failsFast: Bool
  private let writesJSON: Bool
  private var waiter: Waiter?
  private var progress: Progress
  private var told: Set<String> = []

  /// What is known of each target.
  private(set) var entries: [WaitReport.Entry]

  /// The signal that ended the waiting, once one did.
  var termination: Signals.Termination? { waiter?.termination }

  init(_ targets: [WaitTarget], timeout: Int64, _ invocation: Invocation) {
    self.targets = targets
    self.invocation = invocation
    deadline = Deadline(nanoseconds: timeout, after: start)
    interval = invocation.flags.duration("interval")
    failsFast = invocation.flags.bool("fail-fast")
    writesJSON = invocation.flags.bool("json")
    entries = targets.map { WaitReport.Entry(text: $0.text) }
    let isPlain = !(invocation.environment("NO_COLOR") ?? "").isEmpty || invocation.environment("TERM") == "dumb"
    progress = Progress(isOn: !writesJSON && !isPlain && StandardStream.error.isTerminal)
  }

  /// Waits until all is ready, the time is over, or a reason that cannot pass ends it.
  func run() throws(Fault) -> WaitReport {
    let waiter = try Waiter()
    self.waiter = waiter
    var running: [(index: Int, child: ChildProcess)] = []
    for (index, target) in targets.enumerated() {
      do throws(SystemError) {
        running.append((index, try ChildProcess { tell in self.lookRepeatedly(at: target, tell) }))
      } catch { throw Fault(.systemFailure, "waiting", detail: "\(error.operation): \(error.text)") }
    }
    defer { progress.clear() }
    let limit = Deadline(nanoseconds: Self.grace, after: deadline.instant)
    while !running.isEmpty, !limit.hasPassed {
      progress.show(entries, left: deadline.remaining)
      var poll = waiter.makePoll()
      for one in running { poll.add(one.child) }
      guard try waiter.wait(&poll, until: limit.earlier(Deadline(nanoseconds: Self.progressTime))) else { continue }
      var rest: [(index: Int, child: ChildProcess)] = []
      for (position, one) in running.enumerated() {
        // The poll's first entry is the signals.
        guard poll.isReady(position + 1) else {
          rest.append(one)
          continue
        }
        let (lines, hasEnded) = one.child.receive()
        for line in lines { note(line, of: one.index) }
        if !hasEnded { rest.append(one) }
      }
      running = rest
      if failsFast, entries.contains(where: { $0.reason?.isPermanent == true }) { break }
    }
    return WaitReport(entries: entries)
  }

  // MARK: - In a process of its own

  /// Looks at a target until it is ready, and tells of each change.
  private func lookRepeatedly(at target: WaitTarget, _ tell: (String) -> Void) {
    guard let waiter = try? Waiter() else { return tell("SYSTEM_FAILURE\tt\tsignals cannot be handled") }
    var last: WaitTarget.Reason?
    while true {
      let limit = Deadline(nanoseconds: Self.lookTime).earlier(deadline)
      do throws(WaitTarget.Reason) {
        try target.look(waiter, environment: invocation.environment, until: limit)
        return tell("OK")
      } catch {
        if waiter.termination != nil { return }
        // A look that the end cut short says less than the one before it.
        if last == nil || error != last && !deadline.hasPassed {
          tell("\(error.code)\t\(error.isPermanent ? "p" : "t")\t\(error.meaning)")
          last = error
        }
      }
      let pause = Deadline(nanoseconds: interval).earlier(deadline)
      guard (try? waiter.sleep(until: pause)) != nil, !deadline.hasPassed else { return }
    }
  }

  // MARK: - In this process

  private func note(_ line: String, of index: Int) {
    let parts = line.split(onASCII: 0x09)
    entries[index].time = Instant.now.nanoseconds(since: start)
    entries[index].isReady = parts[0] == "OK"
    entries[index].reason =
      parts.count < 3
      ? nil
      : WaitTarget.Reason(parts[0], parts[2...].joined(separator: " "), isPermanent: parts[1] == "p")
    let entry = entries[index]
    if writesJSON { return StandardStream.output.write(entry.json + "\n") }
    guard let reason = entry.reason, reason.isPermanent, told.insert("\(index) \(reason.code)").inserted else { return }
    progress.clear()
    let more = failsFast ? "" : "; waiting all the same"
    StandardStream.error.write("netdiag wait: \(entry.text): \(reason.code): \(reason.meaning)\(more)\n")
  }
}

/// A line on the terminal that tells what is waited for and is gone in the end.
private struct Progress {
  let isOn: Bool
  private var isShown = false

  init(isOn: Bool) { self.isOn = isOn }

  mutating func show(_ entries: [WaitReport.Entry], left: Int64) {
    guard isOn else { return }
    isShown = true
    let open = entries.filter { !$0.isReady }
    let first = open.first.map { " \($0.text) \($0.reason?.code ?? "")" } ?? ""
    let seconds = (left + 999_999_999) / 1_000_000_000
    let text = "waiting for \(open.count) of \(entries.count):\(first)"
    StandardStream.error.write("\r\u{1B}[K" + text.shortened(toUTF8Count: 68) + " (\(seconds)s)")
  }

  mutating func clear() {
    if isShown { StandardStream.error.write("\r\u{1B}[K") }
    isShown = false
  }
}
