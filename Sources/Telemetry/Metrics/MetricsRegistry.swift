// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The metrics of a process.
///
/// A series is made once, when a method or a component is set up, and gives a cell; counting in the cell then costs an
/// atomic addition. The registry's lock is taken to make a series and to show all of them, and at no other time.
///
/// The number of series is bounded: beyond the limit, new series of a name share one whose labels all say `other`, and
/// beyond the limit of names, new names are counted nowhere. Either is warned of once.
public final class MetricsRegistry: Sendable {
  /// How many series and names there may be.
  public struct Limits: Sendable {
    /// Series, over all names. A histogram counts once.
    public var series = 10_000
    /// Names.
    public var names = 1_000

    /// The limits that are enough for some hundred methods.
    public init() {}
  }

  private struct Family {
    let description: MetricFamily
    let layout: HistogramLayout?
    var cells: [MetricLabels: Cell] = [:]
  }

  private enum Cell {
    case counter(CounterCell)
    case sum(GaugeCell)
    case gauge(GaugeCell)
    case histogram(HistogramCell)
  }

  private struct State {
    var families: [String: Family] = [:]
    /// Names that the families show, with their owner: a histogram shows three of them.
    var owners: [String: String] = [:]
    var seriesCount = 0
    var warned: Set<String> = []
    var collectors: [@Sendable () -> [MetricFamily]] = []
  }

  private let limits: Limits
  private let warn: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// An empty registry; `warn` is told, once each, what found no room or was named twice.
  public init(limits: Limits = Limits(), warn: @escaping @Sendable (String) -> Void = { _ in }) {
    self.limits = limits
    self.warn = warn
  }

  /// The counter of a name and labels. The same ones give the same counter.
  public func counter(
    _ name: String, unit: MetricUnit = .none, help: String, labels: [(String, String)] = []
  ) -> CounterCell {
    let family = MetricFamily(name, kind: .counter, unit: unit, help: help)
    if case .counter(let cell) = cell(family, labels, make: { _ in .counter(CounterCell()) }) { return cell }
    return CounterCell()
  }

  /// A counter of fractions, by name and labels. Only amounts above zero are to be added.
  public func sum(
    _ name: String, unit: MetricUnit = .none, help: String, labels: [(String, String)] = []
  ) -> GaugeCell {
    let family = MetricFamily(name, kind: .counter, unit: unit, help: help)
    if case .sum(let cell) = cell(family, labels, make: { _ in .sum(GaugeCell()) }) { return cell }
    return GaugeCell()
  }

  /// The gauge of a name and labels. The same ones give the same gauge.
  public func gauge(
    _ name: String, unit: MetricUnit = .none, help: String, labels: [(String, String)] = []
  ) -> GaugeCell {
    let family = MetricFamily(name, kind: .gauge, unit: unit, help: help)
    if case .gauge(let cell) = cell(family, labels, make: { _ in .gauge(GaugeCell()) }) { return cell }
    return GaugeCell()
  }

  /// The histogram of a name and labels. The same ones give the same histogram; the first layout of a name stays.
  public func histogram(
    _ name: String, unit: MetricUnit = .none, help: String, layout: HistogramLayout, labels: [(String, String)] = []
  ) -> HistogramCell {
    let family = MetricFamily(name, kind: .histogram, unit: unit, help: help)
    let found = cell(family, labels, layout: layout, make: { .histogram(HistogramCell($0 ?? layout)) })
    if case .histogram(let cell) = found { return cell }
    return HistogramCell(layout)
  }

  /// Adds a source of families that are made when somebody looks. It is called on the thread that looks.
  public func add(collector: @escaping @Sendable () -> [MetricFamily]) {
    state.withLock { $0.collectors.append(collector) }
  }

  /// All metrics in Prometheus' text format.
  public func text() -> [UInt8] { PrometheusText.encode(snapshot()) }

  /// All metrics at this moment.
  public func snapshot() -> [MetricFamily] {
    let (families, collectors) = state.withLock { ($0.families.values.map { $0 }, $0.collectors) }
    let own = families.map { family in
      var shown = family.description
      shown.series = family.cells.map { MetricSeries($0.key, Self.value($0.value)) }
      return shown
    }
    return own + collectors.flatMap { $0() }
  }

  private static func value(_ cell: Cell) -> MetricSeries.Value {
    switch cell {
    case .counter(let cell): .integer(cell.value)
    case .sum(let cell), .gauge(let cell): .number(cell.value)
    case .histogram(let cell): .histogram(cell.snapshot)
    }
  }

  /// Finds or makes a series; nil where there is no room for it or its name means something else.
  private func cell(
    _ family: MetricFamily, _ labels: [(String, String)], layout: HistogramLayout? = nil,
    make: (HistogramLayout?) -> Cell
  ) -> Cell? {
    let labels = MetricLabels(labels)
    let (found, warning) = state.withLock { state -> (Cell?, String?) in
      var warning: String?
      guard let known = self.family(family, layout, in: &state, &warning) else { return (nil, warning) }
      var place = labels
      if known.cells[place] == nil, state.seriesCount >= limits.series {
        place = labels.overflow
        warning = Self.once("\(family.name) has no room for more series: further ones count as \"other\"", &state)
      }
      if let cell = known.cells[place] { return (cell, warning) }
      // One more for each name, unless its series differ even in their labels' names.
      guard state.seriesCount < limits.series + limits.names else { return (nil, warning) }
      let cell = make(known.layout)
      state.families[family.name]?.cells[place] = cell
      state.seriesCount += 1
      return (cell, warning)
    }
    if let warning { warn(warning) }
    return found
  }

  /// Finds or makes a name's family; nil, with a warning unless that was told before, where it cannot be had.
  private func family(
    _ family: MetricFamily, _ layout: HistogramLayout?, in state: inout State, _ warning: inout String?
  ) -> Family? {
    if let known = state.families[family.name], known.description.kind == family.kind { return known }
    let suffixes = family.kind == .histogram ? ["", "_bucket", "_sum", "_count"] : [""]
    let names = suffixes.map { family.name + $0 }
    guard !names.contains(where: { state.owners[$0] != nil }) else {
      warning = Self.once("\(family.name) is used for two kinds of metric", &state)
      return nil
    }
    guard state.families.count < limits.names else {
      warning = Self.once("there is no room for more metrics: further ones are not counted", &state)
      return nil
    }
    for name in names { state.owners[name] = family.name }
    let new = Family(description: family, layout: layout)
    state.families[family.name] = new
    return new
  }

  /// A text the first time that it is told. There are no more texts than names.
  private static func once(_ text: String, _ state: inout State) -> String? {
    state.warned.insert(text).inserted ? text : nil
  }
}
