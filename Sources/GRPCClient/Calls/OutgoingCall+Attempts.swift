// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import NIOCore
internal import NIOTransport

// What becomes of a call's attempts: which one counts, and when the next one begins.
extension OutgoingCall {
  /// Attempts in a row whose connection took no more calls before it was their turn.
  private static let maxTransparentAttempts = 100

  // MARK: - From attempts

  /// An attempt has something to say.
  func attemptHasEvents(_ attempt: Attempt) {
    guard end == nil, !attempt.isOver, let stream = attempt.stream else { return }
    if !isAnswered {
      switch stream.nextEvent() {
      case nil, .message: return
      case .ended(let end): return attemptEnded(attempt, end)
      case .headers(let headers): answered(by: attempt, headers)
      }
    }
    deliver()
  }

  /// An attempt's stream has sent something.
  func attemptAdvanced() {
    if let committed { requests.discard(before: committed.next) }
    resumeWriter()
  }

  /// An attempt found no connection.
  func attemptFailed(_ attempt: Attempt, _ status: Status) { attemptEnded(attempt, CallEnd(status: status)) }

  // MARK: - The answer

  private func answered(by attempt: Attempt, _ headers: Metadata) {
    commit(attempt)
    isAnswered = true
    context.began(headers, from: attempt.stream?.peer)
    if let headersReader {
      self.headersReader = nil
      headersReader.resume(.success(headers))
    }
  }

  /// Gives up every attempt but one.
  func commit(_ attempt: Attempt) {
    guard committed == nil else { return }
    committed = attempt
    timer?.cancel()
    timer = nil
    let others = attempts.filter { $0 !== attempt }
    attempts = [attempt]
    for other in others { giveUp(other, Status(.cancelled, "another attempt was answered first")) }
    requests.discard(before: attempt.next)
  }

  /// Gives an attempt up that goes on.
  func giveUp(_ attempt: Attempt, _ status: Status) {
    note(attempt, CallEnd(status: status))
    attempt.cancel()
  }

  private func note(_ attempt: Attempt, _ end: CallEnd) {
    let isUnprocessed = end.isUnprocessed || attempt.stream?.wasOpened != true
    let facts = attempt.facts(end.status, isUnprocessed: isUnprocessed)
    context.ended(facts)
    loop.core.chain.attemptEnded(facts, context)
  }

  // MARK: - Failures

  private func attemptEnded(_ attempt: Attempt, _ end: CallEnd) {
    attempts.removeAll { $0 === attempt }
    note(attempt, end)
    attempt.cancel()
    guard end.status.code != .ok else { return finish(end) }
    if let again = transparently(attempt, end) { return launch(again) }
    guard committed == nil else { return finish(end) }
    switch recovery {
    case .none: finish(end)
    case .retry(var state):
      let delay = state.delay(after: end)
      recovery = .retry(state)
      // A wait that the deadline would end hides what went wrong.
      guard let delay, timeLeft.map({ delay < $0 }) ?? true else { return finish(end) }
      plan(after: delay) { $0.launchNext(attempt.number + 1) }
    case .hedge(var state):
      let verdict = state.verdict(on: end)
      recovery = .hedge(state)
      lastFailure = end
      guard case .goOn(let delay) = verdict else { return finish(end) }
      if let delay {
        plan(after: delay) { $0.hedge() }
      } else if attempts.isEmpty {
        finish(end)
      }
    }
  }

  /// The attempt that follows one which no application saw, if there is one: it repeats nothing, so no policy has to
  /// allow it.
  private func transparently(_ attempt: Attempt, _ end: CallEnd) -> Attempt? {
    guard !isAnswered, let stream = attempt.stream, requests[0] != nil || requests.endIndex == 0 else { return nil }
    if !stream.wasOpened {
      guard end.status.code == .unavailable, transparentAttempts < Self.maxTransparentAttempts else { return nil }
      transparentAttempts += 1
    } else {
      guard end.isUnprocessed, !wasRefused else { return nil }
      wasRefused = true
    }
    return Attempt(attempt.number, of: self)
  }

  // MARK: - Attempts to come

  /// Begins an attempt.
  func launch(_ attempt: Attempt) {
    attempts.append(attempt)
    if committed != nil { committed = attempt }
    loop.core.chain.attemptBegan(context)
    attempt.pick()
  }

  private func launchNext(_ number: Int) {
    let attempt = Attempt(number, of: self)
    launch(attempt)
  }

  /// Plans the next hedge, where the policy has one.
  func planHedge() {
    guard case .hedge(let state) = recovery, end == nil, committed == nil, let delay = state.delay else { return }
    plan(after: delay) { $0.hedge() }
  }

  private func hedge() {
    guard case .hedge(var state) = recovery else { return }
    guard state.begin() else {
      // The throttle closed meanwhile.
      if attempts.isEmpty, let lastFailure { finish(lastFailure) }
      return
    }
    recovery = .hedge(state)
    launchNext(state.sent - 1)
    planHedge()
  }

  /// Does something after a time, in place of what was planned before.
  private func plan(after delay: TimeAmount, _ action: @escaping @Sendable (OutgoingCall) -> Void) {
    timer?.cancel()
    timer = loop.eventLoop.scheduleTask(in: delay) { [weak self] in
      guard let self, end == nil, committed == nil else { return }
      timer = nil
      action(self)
    }
  }
}
