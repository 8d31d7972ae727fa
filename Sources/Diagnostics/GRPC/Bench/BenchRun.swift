// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Fault
internal import GRPC
internal import HTTP2
internal import Sys

/// Puts a load on a server: all connections on one thread, with as many calls on each as the plan has.
///
/// Without a rate, a call begins when one before it ends. With a rate, calls are due at instants that are known
/// beforehand, and their time counts from there: a server that stands still for a second makes every call late that was
/// due in that second, and not just the few that it kept waiting (the "coordinated omission" of closed loops).
final class BenchRun {
  /// How many connections in a row a server may end before any call begins on them.
  private static let reconnectionLimit = 10
  /// The time between two looks for calls that take too long, and between two lines of progress, in nanoseconds.
  private static let tick: Int64 = 100_000_000

  private let plan: BenchPlan
  private let first: GRPCConnection
  private let waiter: Waiter
  private let deadline: Deadline
  /// What begins each call.
  private let fields: HeaderFields
  private var lanes: [Lane] = []
  private var findings = BenchFindings()
  private var begun = 0
  /// How many connections were made anew since a call began.
  private var reconnectionsInARow = 0
  private var start = Instant.now
  /// Told of the findings from time to time.
  var onProgress: ((BenchFindings, _ elapsed: Int64) -> Void)?

  /// A run that begins with a connection, and ends at the deadline whatever the plan says.
  init(_ plan: BenchPlan, _ first: GRPCConnection, _ waiter: Waiter, until deadline: Deadline) {
    (self.plan, self.first, self.waiter, self.deadline) = (plan, first, waiter, deadline)
    let time = Deadline(nanoseconds: plan.callTime)
    fields = first.request(plan.path, metadata: first.target.metadata, until: time).fields
  }

  /// One connection, and the calls on it.
  private struct Lane {
    let connection: Connection
    var calls: [StreamID: Running] = [:]

    /// A connection on which the server permits calls.
    init(_ connection: Connection) throws(Problem) {
      self.connection = connection
      guard permitted > 0 else {
        connection.close()
        throw Problem("H2_PROTOCOL_ERROR", "\(connection.peerName) permits no calls: its SETTINGS say so")
      }
    }

    /// How many calls the server permits at once.
    var permitted: Int {
      connection.link.session.peerSettings.maxConcurrentStreams.map { Int(clamping: $0) } ?? .max
    }

    /// Whether calls may begin on it.
    var isOpen: Bool { connection.link.failure == nil && connection.link.goAway == nil }
  }

  /// A call that runs.
  private struct Running {
    var call: ClientCall
    /// The instant from which its time counts.
    let due: Instant
    let begun: Instant
  }

  /// Runs to the end of the plan.
  func run() -> BenchFindings {
    TimerSlack.minimize()
    do throws(Problem) {
      lanes = [try Lane(first.connection)]
      while lanes.count < plan.connections { lanes.append(try Lane(first.another(waiter, until: deadline))) }
      let permitted = lanes.map { $0.permitted }.min() ?? 0
      if permitted < plan.streams { findings.permittedStreams = permitted }
      start = .now
      do throws(Fault) { try loop() } catch { throw Problem(error) }
    } catch { findings.problem = error }
    findings.time = max(1, Instant.now.nanoseconds(since: start))
    findings.notBegun = max(0, dueCount - begun)
    for lane in lanes { lane.connection.close() }
    return findings
  }

  // MARK: - The loop

  private func loop() throws(Fault) {
    var nextTick = Deadline(nanoseconds: Self.tick, after: start)
    while true {
      let now = Instant.now
      beginCalls(now)
      for index in lanes.indices { take(index, isReady: false) }
      if isOver(now), lanes.allSatisfy({ $0.calls.isEmpty }) { return }
      guard findings.problem == nil, !deadline.hasPassed else { return endRest() }
      try wait(until: nextTick)
      if nextTick.hasPassed {
        endOverdue(.now)
        replaceLost()
        onProgress?(findings, Instant.now.nanoseconds(since: start))
        nextTick = Deadline(nanoseconds: Self.tick)
      }
    }
  }

  /// Whether no more calls begin.
  private func isOver(_ now: Instant) -> Bool {
    switch plan.end {
    case .calls(let count): begun >= count
    case .time(let time): now.nanoseconds(since: start) >= time
    }
  }

  /// Waits for any of the connections, a call that is due or the next tick, and takes what has come.
  private func wait(until nextTick: Deadline) throws(Fault) {
    var poll = waiter.makePoll()
    var hasMore = false
    // A connection that is over would be ready for ever.
    let polled = lanes.indices.filter { lanes[$0].connection.link.failure == nil }
    for index in polled where lanes[index].connection.link.add(to: &poll) { hasMore = true }
    var limit = nextTick.earlier(deadline)
    if !isOver(.now) {
      if let due = nextDue, hasRoom { limit = limit.earlier(Deadline(instant: due)) }
      if case .time(let time) = plan.end { limit = limit.earlier(Deadline(nanoseconds: time, after: start)) }
    }
    if hasMore { limit = Deadline(nanoseconds: 0) }
    _ = try waiter.wait(&poll, until: limit)
    for (place, index) in polled.enumerated() where hasMore || poll.isReady(place + 1) { take(index, isReady: true) }
  }

  // MARK: - Calls

  /// The instant at which the next call is due; nil where there is no rate.
  private var nextDue: Instant? {
    plan.rate.map { rate in
      let (seconds, rest) = begun.quotientAndRemainder(dividingBy: rate)
      let time = Int64(seconds) * 1_000_000_000 + Int64(rest) * 1_000_000_000 / Int64(rate)
      return Deadline(nanoseconds: time, after: start).instant
    }
  }

  /// How many calls were due until now, or until no more begin.
  private var dueCount: Int {
    guard let rate = plan.rate else { return 0 }
    let elapsed = Instant.now.nanoseconds(since: start)
    switch plan.end {
    case .calls(let count): return min(count, Int(Double(elapsed) / 1e9 * Double(rate)))
    case .time(let time): return Int(Double(min(elapsed, time)) / 1e9 * Double(rate))
    }
  }

  private func room(_ lane: Lane) -> Int { min(plan.streams, lane.permitted) - lane.calls.count }

  private var hasRoom: Bool { lanes.contains { $0.isOpen && room($0) > 0 } }

  /// Begins the calls for which there is room, in turn on the connections so that each has its share.
  private func beginCalls(_ now: Instant) {
    var hasBegun = true
    while hasBegun {
      hasBegun = false
      for index in lanes.indices where lanes[index].isOpen && room(lanes[index]) > 0 {
        guard !isOver(now) else { return }
        if let due = nextDue, due > now { return }
        begin(on: index, due: nextDue ?? now)
        hasBegun = true
      }
    }
  }

  private func begin(on index: Int, due: Instant) {
    begun += 1
    reconnectionsInARow = 0
    let link = lanes[index].connection.link
    do throws(HTTP2Error) {
      let id = try link.session.submitRequest(fields, endStream: false)
      let call = ClientCall(kind: plan.kind, receiveLimit: first.target.receiveLimit)
      lanes[index].calls[id] = Running(call: call, due: due, begun: .now)
      try link.session.send(plan.frames, on: id, endStream: true)
    } catch { findings.record(Status(.unavailable, error.message), time: Instant.now.nanoseconds(since: due)) }
  }

  /// Sends what is due on a connection, and takes what has come.
  private func take(_ index: Int, isReady: Bool) {
    let link = lanes[index].connection.link
    guard link.pump(isReady: isReady) else { return }
    for event in link.takeEvents() {
      let id: StreamID
      switch event {
      case .headers(let stream, _, kind: _, endStream: _), .reset(let stream, _, by: _), .streamClosed(let stream, _):
        id = stream
      case .data(let stream, _, let count, endStream: _):
        id = stream
        link.session.consume(stream, count)
      default: continue
      }
      guard lanes[index].calls[id] != nil else { continue }
      lanes[index].calls[id]?.call.receive(event)
      takeEvents(of: id, on: index)
    }
    guard let failure = link.failure else { return }
    let status = Status(.unavailable, failure.summary)
    for (_, call) in lanes[index].calls { findings.record(status, time: Instant.now.nanoseconds(since: call.due)) }
    lanes[index].calls = [:]
  }

  private func takeEvents(of id: StreamID, on index: Int) {
    while let event = lanes[index].calls[id]?.call.nextEvent() {
      switch event {
      case .headers: break
      case .message: findings.recordResponse()
      case .ended(let end):
        guard let call = lanes[index].calls.removeValue(forKey: id) else { return }
        findings.record(end.status, time: Instant.now.nanoseconds(since: call.due))
        // A server that answers before the request's end leaves the stream open.
        lanes[index].connection.link.session.reset(id, .cancel)
      }
    }
  }

  // MARK: - What goes wrong

  /// Ends the calls whose time is over.
  private func endOverdue(_ now: Instant) {
    for index in lanes.indices {
      for (id, call) in lanes[index].calls where now.nanoseconds(since: call.begun) > plan.callTime {
        lanes[index].calls[id] = nil
        lanes[index].connection.link.session.reset(id, .cancel)
        findings.record(
          Status(.deadlineExceeded, "no answer in time"), time: now.nanoseconds(since: call.due))
      }
    }
  }

  /// Makes connections anew that a server has ended, once the calls on them are over.
  private func replaceLost() {
    for index in lanes.indices where !lanes[index].isOpen && lanes[index].calls.isEmpty && !isOver(.now) {
      do throws(Problem) {
        let ended = lanes[index].connection
        reconnectionsInARow += 1
        guard reconnectionsInARow <= Self.reconnectionLimit else {
          throw Problem(ended.goAway ?? ended.failure ?? Fault(.connectionLost, ended.peerName))
        }
        let lane = try Lane(first.another(waiter, until: deadline))
        ended.close()
        lanes[index] = lane
        findings.reconnections += 1
      } catch {
        findings.problem = error
        return
      }
    }
  }

  /// Gives up what still runs.
  private func endRest() {
    for index in lanes.indices {
      for (id, call) in lanes[index].calls {
        lanes[index].connection.link.session.reset(id, .cancel)
        findings.record(
          Status(.cancelled, "the run was over"), time: Instant.now.nanoseconds(since: call.due))
      }
      lanes[index].calls = [:]
    }
  }
}
