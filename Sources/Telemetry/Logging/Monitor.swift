// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A value behind a lock, and threads that wait for it to change. For threads of our own: never wait on an event loop
/// or in a task.
final class Monitor<Value: Sendable>: @unchecked Sendable {
  // Unchecked, as the value is touched under the mutex alone. The three pointers are set once and freed in the deinit,
  // which runs when no thread holds the monitor any more.
  private let value: UnsafeMutablePointer<Value>
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init(_ value: Value) {
    self.value = .allocate(capacity: 1)
    self.value.initialize(to: value)
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
    value.deinitialize(count: 1)
    value.deallocate()
  }

  /// Reads or changes the value.
  func withLock<T>(_ body: (inout Value) -> T) -> T {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value.pointee)
  }

  /// Lets all waiting threads look again.
  func wakeAll() { pthread_cond_broadcast(condition) }

  /// Waits until `look` gives something.
  func wait<T>(until look: (inout Value) -> T?) -> T {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let found = look(&value.pointee) { return found }
      pthread_cond_wait(condition, mutex)
    }
  }

  /// Waits until `look` gives something; nil where that takes more than so many nanoseconds.
  func wait<T>(atMost nanoseconds: Int64, until look: (inout Value) -> T?) -> T? {
    var end = timespec()
    clock_gettime(CLOCK_MONOTONIC, &end)
    // A day is enough for any wait, and keeps the sum in range.
    let sum = Int64(end.tv_nsec) + min(max(0, nanoseconds), 86_400_000_000_000)
    end.tv_sec += Int(sum / 1_000_000_000)
    end.tv_nsec = Int(sum % 1_000_000_000)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let found = look(&value.pointee) { return found }
      if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { return look(&value.pointee) }
    }
  }
}
