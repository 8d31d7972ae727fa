// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import NIOCore

/// Decides for one event loop which servers to connect to, and which one a call goes to.
///
/// It belongs to its loop's thread, so that a pick takes no lock: there is nobody to keep out.
final class Balancer: @unchecked Sendable {
  /// What becomes of a call.
  enum Pick {
    /// It goes to this connection.
    case connection(ClientConnection)
    /// It waits until there is a connection, or none can be had.
    case wait
    /// There is none, unless it wants to wait.
    case fail(Status)
  }

  private(set) var state = ConnectivityState.idle

  private unowned let loop: ClientLoop
  private let policy: LoadBalancing
  private var picker: Picker
  private var subchannels: [Subchannel] = []
  private var ready: [Subchannel] = []
  private var waiting: [UInt64: Attempt] = [:]
  private var nextTicket: UInt64 = 0
  private var chance = SystemRandomNumberGenerator()
  /// Whether connections are wanted: a call came since the last idle time.
  private var isAwake = false
  /// Whether the first-server policy looks for one.
  private var isLooking = false
  /// The address that the first-server policy began to connect to last, and the end of its head start.
  private weak var latest: Subchannel?
  private var headStart: Scheduled<Void>?
  private var isChanging = false
  private var isShutDown = false
  private var resolveFailure: String?
  private var lastFailure: String?

  init(_ loop: ClientLoop) {
    self.loop = loop
    policy = loop.configuration.serviceConfig.loadBalancing
    picker = Picker(policy)
  }

  // MARK: - Calls

  /// Finds a connection for a call.
  func pick() -> Pick {
    wakeUp()
    if !ready.isEmpty {
      let index = picker.pick(outOf: ready.count, using: &chance) { ready[$0].load }
      if let connection = ready[index].connection { return .connection(connection) }
    }
    return state == .transientFailure ? .fail(Status(.unavailable, failureText)) : .wait
  }

  /// Lets a call wait for a connection; false where too many wait.
  func wait(_ attempt: Attempt) -> Bool {
    guard waiting.count < loop.configuration.limits.waitingCalls else { return false }
    nextTicket += 1
    attempt.ticket = nextTicket
    waiting[nextTicket] = attempt
    return true
  }

  /// Forgets a call that waits.
  func withdraw(_ attempt: Attempt) { waiting[attempt.ticket] = nil }

  /// Why calls wait or fail, in words; empty where nothing is known.
  var failureText: String {
    if subchannels.isEmpty { return resolveFailure ?? "" }
    guard let lastFailure else { return "" }
    return subchannels.count == 1
      ? lastFailure : "none of \(subchannels.count) servers can be used; the last: \(lastFailure)"
  }

  // MARK: - Life

  /// Connects, where there is no connection.
  func wakeUp() {
    guard !isShutDown, !isAwake || !isLooking else { return }
    isAwake = true
    isLooking = true
    loop.core.resolution.start()
    settle()
  }

  /// Lets go of every connection until the next call.
  func sleep() {
    isAwake = false
    isLooking = false
    for subchannel in subchannels { subchannel.disconnect() }
    settle()
  }

  /// Lets go of everything for good.
  func shutDown() {
    isAwake = false
    isShutDown = true
    headStart?.cancel()
    let old = subchannels
    subchannels = []
    for subchannel in old { subchannel.shutDown() }
    settle()
  }

  /// Fails every call that waits: there will be no connection.
  func failWaiting() {
    let attempts = waiting.sorted { $0.key < $1.key }
    waiting = [:]
    for (_, attempt) in attempts { attempt.fail(Status(.unavailable, "the client was closed")) }
  }

  // MARK: - Names

  /// Takes over what the name stands for now. Connections to addresses that stay are kept; those to others take no more
  /// calls, and end with the last that runs.
  func update(_ addresses: [SocketAddress]) {
    guard !isShutDown else { return }
    resolveFailure = nil
    var old: [SocketAddress: Subchannel] = [:]
    for subchannel in subchannels { old[subchannel.address] = subchannel }
    // Where clients are to spread by chance, each has an order of its own, which it keeps for what stays.
    var addresses = policy == .pickFirst(shuffles: true) ? addresses.shuffled() : addresses
    if policy.isPickFirst { addresses = Self.interleaved(addresses) }
    subchannels = addresses.map { old.removeValue(forKey: $0) ?? Subchannel($0, loop: loop, balancer: self) }
    for subchannel in old.values { subchannel.shutDown() }
    settle()
  }

  /// The name gave no address. What it stood for before goes on.
  func failedToResolve(_ why: String) {
    guard subchannels.isEmpty else { return }
    resolveFailure = why
    settle()
  }

  // MARK: - Subchannels

  /// A subchannel's state is another one.
  func changed(_ subchannel: Subchannel) {
    if subchannel.state == .failed {
      lastFailure = subchannel.lastFailure
      loop.core.resolution.hint()
    } else if subchannel.state == .idle, subchannel.lastFailure == nil {
      // A connection that was ready is gone, and its server perhaps too.
      loop.core.resolution.hint()
      if policy.isPickFirst { isLooking = false }
    }
    settle()
  }

  /// Starts what the policy wants started, and draws the conclusions.
  private func settle() {
    guard !isChanging else { return }
    isChanging = true
    if isAwake { connect() }
    isChanging = false
    ready = subchannels.filter { $0.state == .ready }
    if policy.isPickFirst { ready = Array(ready.prefix(1)) }
    let new = conclusion
    if new != state {
      state = new
      loop.core.stateChanged(new, of: loop)
    }
    if state == .ready || state == .transientFailure || policy.isPickFirst && state == .idle { serveWaiting() }
  }

  private func connect() {
    guard policy.isPickFirst else {
      for subchannel in subchannels where subchannel.state == .idle { subchannel.connect() }
      return
    }
    if subchannels.contains(where: { $0.state == .ready }) {
      for subchannel in subchannels where subchannel.state == .connecting { subchannel.disconnect() }
    } else if isLooking, latest?.state != .connecting || headStart == nil {
      connectToNext()
    }
  }

  /// Begins to connect to the next address, beside those that take their time: an address that gives no answer holds
  /// nobody up (RFC 8305 section 5, as gRFC A61 has it).
  private func connectToNext() {
    headStart?.cancel()
    headStart = nil
    let idle = subchannels.filter { $0.state == .idle }
    guard let next = idle.first(where: { $0.lastFailure == nil }) ?? idle.first else { return }
    latest = next
    headStart = loop.eventLoop.scheduleTask(in: loop.configuration.connecting.attemptDelay) { [weak self] in
      self?.headStart = nil
      self?.settle()
    }
    next.connect()
  }

  /// The addresses with their families taking turns, beginning with the first one's (RFC 8305 section 4).
  static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
    addresses.interleaved { $0.protocol == .inet6 }
  }

  private var conclusion: ConnectivityState {
    if isShutDown { return .shutdown }
    if !ready.isEmpty { return .ready }
    if !isAwake || policy.isPickFirst && !isLooking { return .idle }
    if subchannels.isEmpty { return resolveFailure == nil ? .connecting : .transientFailure }
    // An address that failed counts as failed until it was of use again, so that calls do not wait for each new try.
    return subchannels.contains { $0.state != .failed && $0.lastFailure == nil } ? .connecting : .transientFailure
  }

  private func serveWaiting() {
    guard !waiting.isEmpty else { return }
    let attempts = waiting.sorted { $0.key < $1.key }
    waiting = [:]
    for (_, attempt) in attempts { attempt.pick() }
  }
}
