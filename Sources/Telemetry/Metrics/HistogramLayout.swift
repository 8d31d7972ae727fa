// SPDX-License-Identifier: Apache-2.0

/// The buckets of a histogram, and the scale on which it counts.
///
/// Values are counted as whole ticks, so that a sum is one atomic addition and never loses a fraction; what is shown
/// are ticks divided by ``ticksPerUnit``.
public struct HistogramLayout: Equatable, Sendable {
  /// The upper bounds of the buckets in ticks, each within its own bucket; strictly ascending. A last bucket without a
  /// bound takes the rest.
  public let bounds: [Int64]
  /// How many ticks make the unit that is shown: 1,000,000,000 for seconds out of nanoseconds.
  public let ticksPerUnit: Int64

  /// A layout of bounds in any order; repeated ones count once.
  public init(bounds: [Int64], ticksPerUnit: Int64) {
    self.bounds = Set(bounds).sorted()
    self.ticksPerUnit = max(1, ticksPerUnit)
  }

  /// Latencies, counted in nanoseconds and shown in seconds: the bounds of gRFC A66 and those of Prometheus' clients
  /// together, so that either set can be shown from the same counts.
  public static let latency = HistogramLayout(
    bounds: LatencyBounds.openTelemetry + LatencyBounds.prometheus, ticksPerUnit: 1_000_000_000)

  /// Sizes of messages in bytes, with the bounds of gRFC A66.
  public static let size = HistogramLayout(bounds: [0] + (0..<13).map { sizeBound($0) }, ticksPerUnit: 1)

  /// Values of unknown kind: 1, 2.5 and 5 of every power of ten from a thousandth to a million.
  public static let general = HistogramLayout(
    bounds: (0...9).flatMap { power -> [Int64] in
      let decade = (0..<power).reduce(Int64(1_000)) { product, _ in product * 10 }
      return power == 9 ? [decade] : [decade, decade * 5 / 2, decade * 5]
    }, ticksPerUnit: 1_000_000)

  /// 1, 2 and 4 KiB, and from there each four times the one before, to 4 GiB.
  private static func sizeBound(_ index: Int) -> Int64 {
    index < 2 ? 1024 << Int64(index) : 4096 << Int64(2 * (index - 2))
  }
}

/// The bounds of latencies that known names of metrics are shown with, in nanoseconds.
public enum LatencyBounds {
  /// The bounds that gRFC A66 advises.
  public static let openTelemetry: [Int64] = microseconds([
    0, 10, 50, 100, 300, 600, 800, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 13_000, 16_000, 20_000,
    25_000, 30_000, 40_000, 50_000, 65_000, 80_000, 100_000, 130_000, 160_000, 200_000, 250_000, 300_000, 400_000,
    500_000, 650_000, 800_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000,
  ])
  /// The bounds that Prometheus' client libraries have unless told otherwise.
  public static let prometheus: [Int64] = microseconds([
    5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
  ])

  private static func microseconds(_ values: [Int64]) -> [Int64] { values.map { $0 * 1_000 } }
}

/// A histogram at one moment.
public struct HistogramSnapshot: Equatable, Sendable {
  /// The buckets' bounds and scale.
  public let layout: HistogramLayout
  /// How many values fell into each bucket alone; one more than there are bounds.
  public private(set) var counts: [UInt64]
  /// The sum of the values, in ticks.
  public private(set) var sum: Int64

  init(layout: HistogramLayout, counts: [UInt64], sum: Int64) {
    self.layout = layout
    self.counts = counts
    self.sum = sum
  }

  /// How many values there were.
  public var count: UInt64 { counts.reduce(0, &+) }

  /// The values of both histograms, which have one layout.
  func adding(_ other: HistogramSnapshot) -> HistogramSnapshot {
    var result = self
    for (index, count) in other.counts.enumerated() where index < counts.count { result.counts[index] &+= count }
    result.sum &+= other.sum
    return result
  }

  /// The same values with only the bounds that `kept` names: exact, as each of these is a bound already.
  func narrowed(to kept: [Int64]) -> HistogramSnapshot {
    let narrow = HistogramLayout(
      bounds: layout.bounds.filter { kept.contains($0) }, ticksPerUnit: layout.ticksPerUnit)
    var narrowCounts = Array(repeating: UInt64(0), count: narrow.bounds.count + 1)
    var place = 0
    for (index, count) in counts.enumerated() {
      narrowCounts[place] &+= count
      if index < layout.bounds.count, place < narrow.bounds.count, layout.bounds[index] == narrow.bounds[place] {
        place += 1
      }
    }
    return HistogramSnapshot(layout: narrow, counts: narrowCounts, sum: sum)
  }
}

extension HistogramLayout {
  /// How many places of a row the histogram takes: its buckets, the one without a bound, and the sum.
  var width: Int { bounds.count + 2 }

  /// Observes a value in a histogram that begins at a place of a row.
  func observe(_ ticks: Int64, in row: AtomicRow, at start: Int) {
    row.add(1, at: start + bucket(of: ticks))
    row.add(UInt64(bitPattern: ticks), at: start + bounds.count + 1)
  }

  /// The histogram that begins at a place of a row. Its count and its buckets always agree, as the one is the sum of
  /// the others; its sum may lag or lead by the calls that are being counted.
  func snapshot(of row: AtomicRow, at start: Int) -> HistogramSnapshot {
    HistogramSnapshot(
      layout: self, counts: (0...bounds.count).map { row.value(at: start + $0) },
      sum: Int64(bitPattern: row.value(at: start + bounds.count + 1)))
  }

  /// A value of the unit in ticks; nil for one that is no number.
  func ticks(_ value: Double) -> Int64? {
    let scaled = (value * Double(ticksPerUnit)).rounded()
    guard !scaled.isNaN else { return nil }
    return Int64(exactly: scaled) ?? (scaled < 0 ? .min : .max)
  }

  /// The first bucket whose bound is not below the value.
  func bucket(of ticks: Int64) -> Int {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] < ticks { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
