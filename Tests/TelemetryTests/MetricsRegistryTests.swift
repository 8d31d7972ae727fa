// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization
import Telemetry
import Testing

/// What a registry shows, as lines.
func lines(_ registry: MetricsRegistry) -> [String] {
  String(decoding: registry.text(), as: UTF8.self).split(separator: "\n").map(String.init)
}

/// Texts that several threads may add to.
final class Texts: Sendable {
  private let texts = Mutex<[String]>([])
  var all: [String] { texts.withLock { $0 } }
  func append(_ text: String) { texts.withLock { $0.append(text) } }
}

@Suite struct MetricsRegistryTests {
  @Test("counters, gauges and histograms are shown as the text format has them, sorted")
  func shape() {
    let registry = MetricsRegistry()
    registry.gauge("b.gauge", unit: .bytes, help: "A gauge\\ of\ntwo lines.").set(1.5)
    let counter = registry.counter("a.counter", help: "A counter.", labels: [("zone", "x"), ("code", "2")])
    counter.add()
    counter.add(41)
    registry.counter("a.counter", help: "A counter.", labels: [("zone", "w"), ("code", "2")]).add()
    let layout = HistogramLayout(bounds: [1_000, 250, 1_000], ticksPerUnit: 1_000)
    let histogram = registry.histogram("c", unit: .seconds, help: "H.", layout: layout)
    for value: Int64 in [250, 251, 5_000] { histogram.observe(value) }
    #expect(
      lines(registry) == [
        "# HELP a_counter_total A counter.",
        "# TYPE a_counter_total counter",
        #"a_counter_total{zone="w",code="2"} 1"#,
        #"a_counter_total{zone="x",code="2"} 42"#,
        #"# HELP b_gauge_bytes A gauge\\ of\ntwo lines."#,
        "# TYPE b_gauge_bytes gauge",
        "b_gauge_bytes 1.5",
        "# HELP c_seconds H.",
        "# TYPE c_seconds histogram",
        #"c_seconds_bucket{le="0.25"} 1"#,
        #"c_seconds_bucket{le="1"} 2"#,
        #"c_seconds_bucket{le="+Inf"} 3"#,
        "c_seconds_sum 5.501",
        "c_seconds_count 3",
      ])
  }

  @Test(
    "a name gets the suffixes that it lacks, and only characters that are allowed",
    arguments: [
      ("http.requests", MetricKind.counter, MetricUnit.none, "http_requests_total"),
      ("x_total", .counter, .none, "x_total"), ("x_total", .counter, .bytes, "x_bytes_total"),
      ("x_seconds_total", .counter, .seconds, "x_seconds_total"), ("x_seconds", .gauge, .seconds, "x_seconds"),
      ("1é-x", .gauge, .none, "_1___x"), ("", .gauge, .none, "_"), ("a:b", .gauge, .none, "a:b"),
    ])
  func names(name: String, kind: MetricKind, unit: MetricUnit, shown: String) {
    #expect(MetricFamily(name, kind: kind, unit: unit, help: "").name == shown)
  }

  @Test("label values are escaped and cut, reserved names get a prefix, the first of two equal names stays")
  func labels() {
    #expect(MetricLabels([("a", "\"\\\n")]).text == #"a="\"\\\n""#)
    #expect(
      MetricLabels([("le", "1"), ("__x", "2"), ("a.b", "3"), ("a_b", "4")]).text
        == #"exported_le="1",exported___x="2",a_b="3""#)
    #expect(MetricLabels([("a", String(repeating: "x", count: 1_000))]).text.utf8.count == 256 + 4)
  }

  @Test("the same name and labels give the same cell")
  func identity() {
    let registry = MetricsRegistry()
    #expect(
      registry.counter("a", help: "", labels: [("x", "1")]) === registry.counter("a", help: "", labels: [("x", "1")]))
    #expect(
      registry.counter("a", help: "", labels: [("x", "1")]) !== registry.counter("a", help: "", labels: [("x", "2")]))
  }

  @Test("beyond the limit, new series of a name share one called other, and that is told once")
  func seriesLimit() {
    var limits = MetricsRegistry.Limits()
    limits.series = 3
    let warnings = Texts()
    let registry = MetricsRegistry(limits: limits) { warnings.append($0) }
    for index in 0..<10 { registry.counter("a", help: "A.", labels: [("x", String(index))]).add() }
    #expect(
      lines(registry).dropFirst(2) == [
        #"a_total{x="0"} 1"#, #"a_total{x="1"} 1"#, #"a_total{x="2"} 1"#, #"a_total{x="other"} 7"#,
      ])
    #expect(warnings.all == ["a_total has no room for more series: further ones count as \"other\""])
  }

  @Test("series beyond every limit are not shown, however their labels differ, and can still be counted on")
  func hardLimit() {
    var limits = MetricsRegistry.Limits()
    limits.series = 2
    limits.names = 2
    let warnings = Texts()
    let registry = MetricsRegistry(limits: limits) { warnings.append($0) }
    for index in 0..<50 {
      registry.counter("a", help: "", labels: [("x\(index)", "")]).add()
      registry.gauge("g\(index)", help: "").set(1)
    }
    #expect(registry.snapshot().reduce(0) { $0 + $1.series.count } <= 4)
    #expect(warnings.all.contains("there is no room for more metrics: further ones are not counted"))
    #expect(warnings.all.count <= 3)
  }

  @Test("a name that a histogram shows already is refused to others")
  func collision() {
    let warnings = Texts()
    let registry = MetricsRegistry { warnings.append($0) }
    _ = registry.histogram("h", help: "", layout: .size)
    registry.gauge("h_count", help: "").set(7)
    registry.gauge("h", help: "").set(7)
    #expect(!lines(registry).contains("h_count 7"))
    #expect(warnings.all.count == 2)
  }

  @Test("additions from many threads are all counted")
  func concurrency() async {
    let registry = MetricsRegistry()
    let counter = registry.counter("a", help: "")
    let gauge = registry.gauge("b", help: "")
    let histogram = registry.histogram("c", help: "", layout: .size)
    await withTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          for value in 0..<1_000 {
            counter.add()
            gauge.add(0.5)
            histogram.observe(Int64(value))
          }
        }
      }
    }
    #expect(counter.value == 8_000)
    #expect(gauge.value == 4_000)
    #expect(histogram.snapshot.count == 8_000)
    #expect(histogram.snapshot.sum == 8 * 999 * 500)
  }

  @Test("a value falls into the first bucket whose bound is not below it")
  func buckets() {
    let histogram = HistogramCell(HistogramLayout(bounds: [0, 10], ticksPerUnit: 1))
    for value: Int64 in [.min, 0, 1, 10, 11, .max] { histogram.observe(value) }
    #expect(histogram.snapshot.counts == [2, 2, 2])
    histogram.observe(unit: .nan)
    histogram.observe(unit: .infinity)
    histogram.observe(unit: -.infinity)
    #expect(histogram.snapshot.counts == [3, 2, 3])
  }

  @Test("the known layouts have the bounds that their names promise")
  func layouts() {
    #expect(HistogramLayout.latency.bounds.count == LatencyBounds.openTelemetry.count + 1)
    #expect(LatencyBounds.openTelemetry.count == 41)
    #expect(HistogramLayout.size.bounds.prefix(4) == [0, 1024, 2048, 4096])
    #expect(HistogramLayout.size.bounds.last == 4_294_967_296)
    #expect(HistogramLayout.size.bounds.count == 14)
    #expect(HistogramLayout.general.bounds.first == 1_000)
    #expect(HistogramLayout.general.bounds.last == 1_000_000_000_000)
  }

  @Test("what swift-metrics counts is shown by the registry")
  func factory() {
    let registry = MetricsRegistry()
    let factory = RegistryMetricsFactory(registry)
    Counter(label: "my.counter", dimensions: [("a", "b")], factory: factory).increment(by: 3)
    Counter(label: "my.counter", dimensions: [("a", "b")], factory: factory).increment(by: -5)
    FloatingPointCounter(label: "my.sum", dimensions: [], factory: factory).increment(by: 0.5)
    Meter(label: "my.meter", dimensions: [], factory: factory).increment(by: 2)
    Gauge(label: "my.gauge", dimensions: [], factory: factory).record(7)
    Recorder(label: "my.recorder", dimensions: [], aggregate: true, factory: factory).record(0.003)
    Timer(label: "my.timer", dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
      .recordMilliseconds(1_500)
    let shown = lines(registry)
    for line in [
      #"my_counter_total{a="b"} 3"#, "my_sum_total 0.5", "my_meter 2", "my_gauge 7",
      #"my_recorder_bucket{le="0.0025"} 0"#, #"my_recorder_bucket{le="0.005"} 1"#, "my_recorder_sum 0.003",
      #"my_timer_seconds_bucket{le="1"} 0"#, #"my_timer_seconds_bucket{le="2"} 1"#, "my_timer_seconds_sum 1.5",
    ] { #expect(shown.contains(line), "\(line)") }
  }

  @Test("the process's own figures are there and of the right size")
  func process() throws {
    let registry = MetricsRegistry()
    ProcessMetrics.register(in: registry)
    var values: [String: Double] = [:]
    for line in lines(registry) where !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      values[String(words[0])] = Double(words[1])
    }
    #expect(values.count == 6)
    #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
    #expect(try #require(values["process_virtual_memory_bytes"]) > values["process_resident_memory_bytes"] ?? 0)
    #expect(try #require(values["process_open_fds"]) >= 3)
    #expect(try #require(values["process_max_fds"]) >= values["process_open_fds"] ?? 0)
    #expect(try #require(values["process_cpu_seconds_total"]) > 0)
    // Not before 2020, and not in the time to come as the test's end sees it.
    #expect(try #require(values["process_start_time_seconds"]) > 1_577_836_800)
  }
}
