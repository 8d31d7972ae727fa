// SPDX-License-Identifier: Apache-2.0

public import CoreMetrics

/// Lets code that counts with swift-metrics count in a registry:
/// `MetricsSystem.bootstrap(RegistryMetricsFactory(registry))`.
///
/// Timers and aggregating recorders become histograms, meters and other recorders gauges. A destroyed handler's series
/// stays: what it counted is still true, and others may hold the same one.
public struct RegistryMetricsFactory: MetricsFactory {
  private let registry: MetricsRegistry

  /// A factory of series in a registry.
  public init(_ registry: MetricsRegistry) { self.registry = registry }

  /// A counter of whole numbers.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    CounterAdapter(registry.counter(label, help: help(label), labels: dimensions))
  }

  /// A counter of fractions.
  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    SumAdapter(registry.sum(label, help: help(label), labels: dimensions))
  }

  /// A gauge.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    GaugeAdapter(registry.gauge(label, help: help(label), labels: dimensions))
  }

  /// A histogram of values of unknown kind, or a gauge of the last one.
  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    guard aggregate else { return GaugeAdapter(registry.gauge(label, help: help(label), labels: dimensions)) }
    return RecorderAdapter(registry.histogram(label, help: help(label), layout: .general, labels: dimensions))
  }

  /// A histogram of seconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    TimerAdapter(
      registry.histogram(label, unit: .seconds, help: help(label), layout: .latency, labels: dimensions))
  }

  /// Keeps the series.
  public func destroyCounter(_ handler: any CounterHandler) {}
  /// Keeps the series.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  /// Keeps the series.
  public func destroyMeter(_ handler: any MeterHandler) {}
  /// Keeps the series.
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  /// Keeps the series.
  public func destroyTimer(_ handler: any TimerHandler) {}

  /// swift-metrics knows no help texts; the name as it was written says what the shown one hides.
  private func help(_ label: String) -> String { "\(label), as the program counts it." }
}

private final class CounterAdapter: CounterHandler {
  private let cell: CounterCell
  init(_ cell: CounterCell) { self.cell = cell }
  /// A negative amount is passed over: a counter only grows.
  func increment(by amount: Int64) { cell.add(UInt64(max(0, amount))) }
  func reset() { cell.reset() }
}

private final class SumAdapter: FloatingPointCounterHandler {
  private let cell: GaugeCell
  init(_ cell: GaugeCell) { self.cell = cell }
  /// An amount that is negative or no number is passed over.
  func increment(by amount: Double) { if amount > 0, amount.isFinite { cell.add(amount) } }
  func reset() { cell.set(0) }
}

private final class GaugeAdapter: MeterHandler, RecorderHandler {
  private let cell: GaugeCell
  init(_ cell: GaugeCell) { self.cell = cell }
  func set(_ value: Int64) { cell.set(Double(value)) }
  func set(_ value: Double) { cell.set(value) }
  func increment(by amount: Double) { cell.add(amount) }
  func decrement(by amount: Double) { cell.add(-amount) }
  func record(_ value: Int64) { cell.set(Double(value)) }
  func record(_ value: Double) { cell.set(value) }
}

private final class RecorderAdapter: RecorderHandler {
  private let cell: HistogramCell
  init(_ cell: HistogramCell) { self.cell = cell }
  func record(_ value: Int64) { cell.observe(unit: Double(value)) }
  func record(_ value: Double) { cell.observe(unit: value) }
}

private final class TimerAdapter: TimerHandler {
  private let cell: HistogramCell
  init(_ cell: HistogramCell) { self.cell = cell }
  func recordNanoseconds(_ duration: Int64) { cell.observe(duration) }
}
