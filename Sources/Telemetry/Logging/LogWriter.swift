// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The lines that wait to be written, and the thread that writes them.
///
/// ```
///            append                    the writer's thread
///   lines ──────────► filling ──take──► writing ──write(2)──► the descriptor
///            drops and counts what finds no room
/// ```
///
/// While lines keep coming, the writer naps between batches instead of being woken for each line: an append then costs
/// a lock and a copy, no system call.
final class LogWriter: Sendable {
  /// How long the writer naps after a batch: the most that a line of a busy log is late by.
  private static let nap: Int64 = 2_000_000

  private struct State {
    var filling: [UInt8] = []
    var formatter: LogFormatter
    /// Lines for which there was no room since that was last told.
    var untold: UInt64 = 0
    var dropped: UInt64 = 0
    var isAsleep = false
    var isWriting = false
    var isClosed = false
    var hasEnded = false
    var waiters = 0

    var isIdle: Bool { filling.isEmpty && untold == 0 && !isWriting }
  }

  private let monitor: Monitor<State>
  private let limit: Int

  /// Starts the thread. The descriptor stays the caller's; it must stay open until the writer has ended.
  init(descriptor: Int32, limit: Int, formatter: LogFormatter) {
    self.limit = limit
    monitor = Monitor(State(formatter: formatter))
    Self.start { [monitor, limit] in Self.run(monitor, limit, descriptor) }
  }

  /// What is left is still written, then the thread ends.
  deinit {
    monitor.withLock { $0.isClosed = true }
    monitor.wakeAll()
  }

  /// Lines that found no room so far.
  var dropped: UInt64 { monitor.withLock { $0.dropped } }

  /// Appends one line, which `body` writes, or drops it. Never waits for the descriptor.
  func append(_ body: (inout LogFormatter, inout [UInt8]) -> Void) {
    let wakes = monitor.withLock { state -> Bool in
      let before = state.filling.count
      if !state.isClosed, before < limit { body(&state.formatter, &state.filling) }
      guard state.filling.count > before, state.filling.count <= limit else {
        state.filling.removeLast(state.filling.count - before)
        if !state.isClosed { state.untold += 1 }
        state.dropped += 1
        return false
      }
      let wakes = state.isAsleep || (before <= limit / 2 && state.filling.count > limit / 2)
      state.isAsleep = false
      return wakes
    }
    if wakes { monitor.wakeAll() }
  }

  /// Waits until every line so far is written; false where that takes longer than so many nanoseconds.
  func flush(atMost nanoseconds: Int64) -> Bool {
    wait(atMost: nanoseconds) { $0.isIdle || $0.hasEnded }
  }

  /// Takes no more lines and waits until the rest is written; false where that takes longer.
  func close(atMost nanoseconds: Int64) -> Bool {
    monitor.withLock { $0.isClosed = true }
    return wait(atMost: nanoseconds) { $0.hasEnded }
  }

  private func wait(atMost nanoseconds: Int64, until isDone: (borrowing State) -> Bool) -> Bool {
    monitor.withLock { $0.waiters += 1 }
    monitor.wakeAll()
    let isDone = monitor.wait(atMost: nanoseconds) { isDone($0) ? true : nil } ?? false
    monitor.withLock { $0.waiters -= 1 }
    return isDone
  }

  private static func run(_ monitor: Monitor<State>, _ limit: Int, _ descriptor: Int32) {
    var writing: [UInt8] = []
    while true {
      let hasMore = monitor.wait { state -> Bool? in
        if !state.filling.isEmpty || state.untold > 0 {
          swap(&state.filling, &writing)
          if state.untold > 0 { state.formatter.appendDropped(state.untold, to: &writing) }
          state.untold = 0
          state.isWriting = true
          return true
        }
        if state.isClosed { return false }
        state.isAsleep = true
        return nil
      }
      guard hasMore else { break }
      write(writing, to: descriptor)
      writing.removeAll(keepingCapacity: true)
      if monitor.withLock({ state in
        state.isWriting = false
        return state.waiters > 0
      }) {
        monitor.wakeAll()
      }
      _ = monitor.wait(atMost: nap) { state in
        state.isClosed || state.waiters > 0 || state.filling.count > limit / 2 ? true : nil
      }
    }
    monitor.withLock { $0.hasEnded = true }
    monitor.wakeAll()
  }

  /// Writes all bytes, however long that takes. What the descriptor refuses for good is lost: there is nobody to tell.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if count < 0, errno == EAGAIN {
        // Somebody else who has the same terminal or pipe made it non-blocking.
        var interest = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&interest, 1, -1)
      } else if count < 0, errno != EINTR {
        return
      }
    }
  }

  /// Runs a body on a thread of its own, which takes no signals: they are the program's, and a closed pipe shall be an
  /// error here and nothing more.
  private static func start(_ body: @escaping @Sendable () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let box = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    // Balanced by the thread, which takes the box over; here where no thread could be made.
    let outcome = pthread_create(
      &thread, nil,
      { pointer in
        if let pointer { Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().run() }
        return nil
      }, box.toOpaque())
    if outcome == 0 { pthread_detach(thread) } else { box.release() }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
