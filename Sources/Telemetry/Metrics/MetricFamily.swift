// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What a metric measures, as Prometheus tells metrics apart.
public enum MetricKind: String, Equatable, Sendable {
  /// A number that only grows.
  case counter
  /// A number that goes up and down.
  case gauge
  /// Values counted by buckets.
  case histogram
}

/// The unit of a metric; it becomes a suffix of the name.
public enum MetricUnit: String, Equatable, Sendable {
  /// A plain number.
  case none = ""
  /// Seconds.
  case seconds
  /// Bytes.
  case bytes
}

/// All series of one name at one moment.
public struct MetricFamily: Equatable, Sendable {
  /// The name as it is shown.
  public let name: String
  /// What is measured, in one sentence.
  public let help: String
  /// The kind of its series.
  public let kind: MetricKind
  /// The series, in any order.
  public var series: [MetricSeries]

  /// A family. The name is made one that Prometheus takes, with the suffix that its unit and kind ask for.
  public init(
    _ name: String, kind: MetricKind, unit: MetricUnit = .none, help: String, series: [MetricSeries] = []
  ) {
    self.name = MetricName.shown(name, unit: unit, kind: kind)
    self.help = help
    self.kind = kind
    self.series = series
  }
}

/// One series at one moment.
public struct MetricSeries: Equatable, Sendable {
  /// What a series holds.
  public enum Value: Equatable, Sendable {
    /// A count.
    case integer(UInt64)
    /// Any number.
    case number(Double)
    /// A histogram.
    case histogram(HistogramSnapshot)
  }

  /// What tells the series from its siblings.
  public let labels: MetricLabels
  /// What it holds.
  public let value: Value

  /// A series.
  public init(_ labels: MetricLabels = MetricLabels(), _ value: Value) {
    self.labels = labels
    self.value = value
  }
}

/// The labels of a series, in the form in which they are shown.
public struct MetricLabels: Hashable, Sendable {
  /// The longest value that is kept, in bytes; longer ones are cut.
  public static let valueLimit = 256

  /// `name="value"` pairs, joined by commas; empty where there are none.
  public let text: String
  /// The labels' names, in order.
  let names: [String]

  /// Labels in the order given. Names are made ones that Prometheus takes; of two equal ones the first stays.
  public init(_ pairs: [(String, String)] = []) {
    var names: [String] = []
    var parts: [String] = []
    for (name, value) in pairs {
      let name = MetricName.label(name)
      guard !names.contains(name) else { continue }
      names.append(name)
      parts.append(name + "=\"" + MetricName.escaped(value.shortened(toUTF8Count: Self.valueLimit)) + "\"")
    }
    text = parts.joined(separator: ",")
    self.names = names
  }

  /// Labels of the same names that all say `other`: where the series go that found no room.
  var overflow: MetricLabels { MetricLabels(names.map { ($0, "other") }) }
}
