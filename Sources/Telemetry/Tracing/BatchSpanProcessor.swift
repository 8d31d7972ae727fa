// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Where requests with spans go: a collector, by whatever means.
public protocol SpanExporter: Sendable {
  /// Delivers one encoded `ExportTraceServiceRequest`; throws where the collector did not take it.
  ///
  /// It ends by itself within a bounded time, and soon where its task is cancelled.
  func export(_ request: [UInt8]) async throws
}

/// Collects spans that have ended and exports them in batches, from one task.
///
/// The queue is bounded: a span for which there is no room is dropped and counted, and nothing that ends a span ever
/// waits. A batch that the collector does not take is dropped and counted too: trying again is the exporter's business.
public final class BatchSpanProcessor: Sendable {
  /// How much waits, and how long.
  public struct Limits: Sendable {
    /// Spans that wait for an export at most.
    public var queue = 2_048
    /// Spans of one request at most.
    public var batch = 512
    /// How long spans wait for a batch to fill.
    public var interval = Duration.seconds(5)

    /// The limits that OpenTelemetry's libraries share.
    public init() {}
  }

  /// What became of the spans so far.
  public struct Counts: Equatable, Sendable {
    /// Spans that the collector took.
    public var exported = 0
    /// Spans for which the queue had no room, or that ended after the shutdown.
    public var dropped = 0
    /// Spans that the collector did not take.
    public var failed = 0
  }

  private struct State {
    var queue: [RecordedSpan] = []
    var counts = Counts()
    var isClosed = false
    var waiters: [CheckedContinuation<Void, Never>] = []
    var tasks: [Task<Void, Never>] = []
  }

  private let exporter: any SpanExporter
  private let resource: TraceResource
  private let limits: Limits
  private let state = Mutex(State())
  private let wake: AsyncStream<Void>.Continuation

  /// Starts the task that exports. ``shutdown(grace:)`` ends it. A batch has one span at least, an interval 10 ms.
  public init(exporter: any SpanExporter, resource: TraceResource, limits: Limits = Limits()) {
    self.exporter = exporter
    self.resource = resource
    // A batch of none would never end, nor would a wait of no time.
    var limits = limits
    limits.batch = max(1, limits.batch)
    limits.interval = max(.milliseconds(10), limits.interval)
    self.limits = limits
    let (signals, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.wake = wake
    let worker = Task { [self] in
      for await _ in signals { await exportAll(untilFailure: false) }
      // The end: what a collector that is away would hold up is given up at its first refusal.
      await exportAll(untilFailure: true)
    }
    let ticker = Task { [interval = limits.interval] in
      while (try? await Task.sleep(for: interval)) != nil { wake.yield() }
    }
    state.withLock { $0.tasks = [worker, ticker] }
  }

  /// What became of the spans so far.
  public var counts: Counts { state.withLock { $0.counts } }

  /// Shows the counts in a registry.
  public func register(in registry: MetricsRegistry) {
    registry.add { [self] in
      let counts = counts
      let series = [("exported", counts.exported), ("dropped", counts.dropped), ("failed", counts.failed)].map {
        MetricSeries(MetricLabels([("result", $0)]), .integer(UInt64(max(0, $1))))
      }
      return [
        MetricFamily("trace.spans", kind: .counter, help: "Spans that ended, by what became of them.", series: series)
      ]
    }
  }

  /// Takes a span, or drops it.
  func enqueue(_ span: RecordedSpan) {
    let isBatch = state.withLock { state in
      guard !state.isClosed, state.queue.count < limits.queue else {
        state.counts.dropped += 1
        return false
      }
      state.queue.append(span)
      return state.queue.count == limits.batch
    }
    if isBatch { wake.yield() }
  }

  /// Asks for an export without waiting for it.
  func exportSoon() { wake.yield() }

  /// Waits until all that ended before is exported, dropped or failed.
  public func flush() async {
    await withCheckedContinuation { waiter in
      let isClosed = state.withLock { state in
        if !state.isClosed { state.waiters.append(waiter) }
        return state.isClosed
      }
      if isClosed { waiter.resume() } else { wake.yield() }
    }
  }

  /// Takes no more spans, exports what is left and ends. Beyond `grace` the export under way is cancelled.
  public func shutdown(grace: Duration = .seconds(5)) async {
    let tasks = state.withLock { state in
      state.isClosed = true
      return state.tasks
    }
    guard let worker = tasks.first else { return }
    tasks.last?.cancel()
    wake.finish()
    await withTaskGroup { group in
      group.addTask { await worker.value }
      group.addTask { if (try? await Task.sleep(for: grace)) != nil { worker.cancel() } }
      await group.next()
      group.cancelAll()
    }
    await worker.value
  }

  private func exportAll(untilFailure: Bool) async {
    let waiters = state.withLock { state in
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    while true {
      let batch = state.withLock { state in
        let batch = Array(state.queue.prefix(limits.batch))
        state.queue.removeFirst(batch.count)
        return batch
      }
      if batch.isEmpty { break }
      let isTaken = (try? await exporter.export(TraceRequest.encode(batch, resource: resource))) != nil
      state.withLock { if isTaken { $0.counts.exported += batch.count } else { $0.counts.failed += batch.count } }
      if !isTaken, untilFailure || Task.isCancelled { failRest() }
    }
    for waiter in waiters { waiter.resume() }
  }

  private func failRest() {
    state.withLock { state in
      state.counts.failed += state.queue.count
      state.queue = []
    }
  }
}
