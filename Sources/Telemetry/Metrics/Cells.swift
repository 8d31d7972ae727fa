// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

// What a series is made of. A cell is got from the registry once; using it then takes no lock and allocates nothing.

/// A number of events, which only grows.
public final class CounterCell: Sendable {
  private let count = Atomic<UInt64>(0)

  /// A counter at zero that belongs to no registry.
  public init() {}

  /// The events so far.
  public var value: UInt64 { count.load(ordering: .relaxed) }

  /// Counts events: one atomic addition.
  public func add(_ amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

  /// Starts over at zero, which scrapers take for a restart.
  func reset() { count.store(0, ordering: .relaxed) }
}

/// A number that goes up and down, or a sum of fractions.
public final class GaugeCell: Sendable {
  private let bits = Atomic<UInt64>(0)

  /// A gauge at zero that belongs to no registry.
  public init() {}

  /// The present number.
  public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  /// Sets the number.
  public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  /// Adds to the number: a compare and exchange, repeated while others win it.
  public func add(_ amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let outcome = bits.compareExchange(expected: old, desired: new, ordering: .relaxed)
      if outcome.exchanged { return }
      old = outcome.original
    }
  }
}

/// How often values fell into each of a histogram's buckets, and their sum.
public final class HistogramCell: Sendable {
  private let layout: HistogramLayout
  private let row: AtomicRow

  /// An empty histogram that belongs to no registry.
  public init(_ layout: HistogramLayout) {
    self.layout = layout
    row = AtomicRow(count: layout.width)
  }

  /// Observes a value in the layout's ticks (nanoseconds, bytes): two atomic additions.
  public func observe(_ ticks: Int64) { layout.observe(ticks, in: row, at: 0) }

  /// Observes a value in the layout's unit (seconds, bytes). One that is no number is passed over; one outside the
  /// range of ticks counts as the range's end.
  public func observe(unit value: Double) {
    guard let ticks = layout.ticks(value) else { return }
    observe(ticks)
  }

  /// What was observed so far.
  public var snapshot: HistogramSnapshot { layout.snapshot(of: row, at: 0) }
}
