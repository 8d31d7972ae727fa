// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A row of counters in one allocation: its length is fixed, each place is added to without a lock.
///
/// Places are this module's own figures, never a peer's; one outside the row is passed over.
final class AtomicRow: @unchecked Sendable {
  // Unchecked, as a pointer is not Sendable: it is set once, freed in the deinit alone, and all behind it is atomic.
  private let cells: UnsafeMutablePointer<Atomic<UInt64>>
  private let count: Int

  /// A row of zeros.
  init(count: Int) {
    self.count = max(0, count)
    cells = .allocate(capacity: max(1, count))
    for index in 0..<self.count { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: count)
    cells.deallocate()
  }

  /// Adds to one place, modulo 2^64.
  func add(_ amount: UInt64, at index: Int) {
    guard index >= 0, index < count else { return }
    cells[index].wrappingAdd(amount, ordering: .relaxed)
  }

  /// What stands at one place.
  func value(at index: Int) -> UInt64 {
    guard index >= 0, index < count else { return 0 }
    return cells[index].load(ordering: .relaxed)
  }
}
