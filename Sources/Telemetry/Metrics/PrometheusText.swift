// SPDX-License-Identifier: Apache-2.0

/// Prometheus' text format, version 0.0.4.
public enum PrometheusText {
  /// The content type to serve the text with.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The text of families: sorted by name, their series by labels, so that two scrapes can be compared line by line.
  ///
  /// Families of one name and kind are shown as one; of two kinds the first stays. Of series with equal labels the
  /// first stays, as a repeated one would make scrapers refuse the whole.
  public static func encode(_ families: [MetricFamily]) -> [UInt8] {
    var merged: [String: MetricFamily] = [:]
    for family in families {
      if merged[family.name]?.kind == family.kind {
        merged[family.name]?.series += family.series
      } else if merged[family.name] == nil {
        merged[family.name] = family
      }
    }
    var text: [UInt8] = []
    for family in merged.values.sorted(by: { $0.name < $1.name }) where !family.series.isEmpty {
      append(family, to: &text)
    }
    return text
  }

  private static func append(_ family: MetricFamily, to text: inout [UInt8]) {
    text += "# HELP \(family.name) \(MetricName.escapedHelp(family.help))\n".utf8
    text += "# TYPE \(family.name) \(family.kind.rawValue)\n".utf8
    var last: MetricLabels?
    for series in family.series.sorted(by: { $0.labels.text < $1.labels.text }) where series.labels != last {
      last = series.labels
      switch series.value {
      case .integer(let value): append(family.name, series.labels.text, String(value), to: &text)
      case .number(let value): append(family.name, series.labels.text, number(value), to: &text)
      case .histogram(let histogram): append(histogram, family.name, series.labels.text, to: &text)
      }
    }
  }

  private static func append(
    _ histogram: HistogramSnapshot, _ name: String, _ labels: String, to text: inout [UInt8]
  ) {
    let unit = Double(histogram.layout.ticksPerUnit)
    let prefix = labels.isEmpty ? "le=\"" : labels + ",le=\""
    var total: UInt64 = 0
    for (index, count) in histogram.counts.enumerated() {
      total &+= count
      let bound = index < histogram.layout.bounds.count ? Double(histogram.layout.bounds[index]) / unit : .infinity
      append(name + "_bucket", prefix + number(bound) + "\"", String(total), to: &text)
    }
    append(name + "_sum", labels, number(Double(histogram.sum) / unit), to: &text)
    append(name + "_count", labels, String(total), to: &text)
  }

  private static func append(_ name: String, _ labels: String, _ value: String, to text: inout [UInt8]) {
    text += name.utf8
    if !labels.isEmpty {
      text.append(0x7B)
      text += labels.utf8
      text.append(0x7D)
    }
    text.append(0x20)
    text += value.utf8
    text.append(0x0A)
  }

  /// A number in the shortest form that reads back as itself; whole ones without a point.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value), abs(value) < 1e15 { return String(whole) }
    return value.description
  }
}
