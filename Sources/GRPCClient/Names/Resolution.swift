// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import Synchronization

/// Keeps a client's addresses fresh: looks its name up when calls begin, from time to time, and when connections fail.
///
/// ```
/// start() ─► look-up ─► addresses ─► every event loop's balancer
///               ▲           │ interval, or hint() and the least interval
///               └───────────┘
/// ```
final class Resolution: Sendable {
  /// Told of each outcome: addresses, or why there are none.
  typealias Outcome = Result<[SocketAddress], ResolveFailure>

  private struct State {
    var isStarted = false
    var isClosed = false
    var task: Task<Void, Never>?
    /// What waits for the next look-up; a hint cuts it short.
    var sleeper: Task<Bool, Never>?
    var lastEnd: NIODeadline?
    var failures = 0
    var tell: (@Sendable (Outcome) -> Void)?
  }

  private let resolver: any NameResolver
  private let policy: ResolvePolicy
  private let logger: Logger
  private let state = Mutex(State())

  init(_ resolver: any NameResolver, policy: ResolvePolicy, logger: Logger) {
    self.resolver = resolver
    self.policy = policy
    self.logger = logger
  }

  /// Says who is told; before ``start()``.
  func onOutcome(_ tell: @escaping @Sendable (Outcome) -> Void) { state.withLock { $0.tell = tell } }

  /// Begins to look up; later calls do nothing.
  func start() {
    state.withLock { state in
      guard !state.isStarted, !state.isClosed else { return }
      state.isStarted = true
      state.task = Task { await self.run() }
    }
  }

  /// Says that a connection failed or was lost, so that the addresses may be stale.
  func hint() { state.withLock { $0.sleeper?.cancel() } }

  /// Looks up now, and returns once every balancer was told.
  func refresh() async {
    let outcome: Outcome
    do {
      let addresses = try await resolver.resolve()
      outcome = addresses.isEmpty ? .failure(ResolveFailure("the name has no address")) : .success(addresses)
    } catch {
      outcome = .failure(error as? ResolveFailure ?? ResolveFailure("\(error)"))
    }
    if case .failure(let failure) = outcome { logger.notice("no addresses", metadata: ["reason": "\(failure)"]) }
    let tell = state.withLock { state in
      state.lastEnd = .now()
      if case .success = outcome { state.failures = 0 } else { state.failures += 1 }
      return state.isClosed ? nil : state.tell
    }
    tell?(outcome.map { Self.unique($0) })
  }

  /// Ends the looking up.
  func close() {
    state.withLock { state in
      state.isClosed = true
      state.task?.cancel()
      state.tell = nil
    }
  }

  private func run() async {
    await refresh()
    while !Task.isCancelled {
      let failures = state.withLock { $0.failures }
      guard resolver.isVariable || failures > 0 else { return }
      let wait = failures > 0 ? policy.backoff.delay(after: failures - 1) : policy.interval.map(Self.jittered)
      if await !sleep(wait ?? Self.forever) {
        // Hints come in crowds: the least interval is kept, and all that come meanwhile are one.
        let left = state.withLock { state in state.lastEnd.map { $0 + policy.minInterval - .now() } } ?? .zero
        if left > .zero { try? await Task.sleep(for: .nanoseconds(left.nanoseconds)) }
      }
      if !Task.isCancelled { await refresh() }
    }
  }

  /// Waits for the time to pass; false where a hint came before that, or the task was cancelled.
  private func sleep(_ time: TimeAmount) async -> Bool {
    let sleeper = Task { (try? await Task.sleep(for: .nanoseconds(time.nanoseconds))) != nil }
    state.withLock { $0.sleeper = sleeper }
    return await withTaskCancellationHandler {
      await sleeper.value
    } onCancel: {
      sleeper.cancel()
    }
  }

  /// Longer than any process lives.
  private static let forever = TimeAmount.hours(24 * 365 * 100)

  private static func jittered(_ interval: TimeAmount) -> TimeAmount {
    .nanoseconds(Int64(min(Double(interval.nanoseconds) * .random(in: 0.8...1.2), 9e18)))
  }

  private static func unique(_ addresses: [SocketAddress]) -> [SocketAddress] {
    var seen: Set<SocketAddress> = []
    return addresses.filter { seen.insert($0).inserted }
  }
}
