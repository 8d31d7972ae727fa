// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Glibc
internal import Sys

/// What the kernel tells of the process, under the names that Prometheus' client libraries share.
///
/// A figure that the kernel does not tell is left out.
public enum ProcessMetrics {
  /// Adds the process's metrics to a registry. Each is read when somebody looks.
  public static func register(in registry: MetricsRegistry) { registry.add(collector: collect) }

  /// The metrics at this moment.
  public static func collect() -> [MetricFamily] {
    let memory = fields("/proc/self/statm")
    let pageSize = UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
    func pages(_ index: Int) -> MetricSeries.Value? {
      number(memory, index).map { .integer($0.multipliedReportingOverflow(by: pageSize).partialValue) }
    }
    return [
      gauge("process_virtual_memory_bytes", "Virtual memory in bytes.", pages(0)),
      gauge("process_resident_memory_bytes", "Resident memory in bytes.", pages(1)),
      gauge("process_open_fds", "Open file descriptors.", openFiles),
      gauge("process_max_fds", "File descriptors that may be open.", fileLimit),
      gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", startTime),
      family("process_cpu_seconds_total", .counter, "Processor time in user and system mode, in seconds.", cpuTime),
    ].compactMap { $0 }
  }

  private static var openFiles: MetricSeries.Value? {
    // Reading the folder opens one descriptor more.
    (try? Files.list("/proc/self/fd", limit: 1_000_000)).map { .integer(UInt64(max(0, $0.count - 1))) }
  }

  private static var fileLimit: MetricSeries.Value? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return .integer(UInt64(limit.rlim_cur))
  }

  private static var cpuTime: MetricSeries.Value? {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
    return .number(Double(time.tv_sec) + Double(time.tv_nsec / 1_000_000) / 1_000)
  }

  /// The start in ticks after the boot (field 22 of `stat`, counted behind the name, which may hold spaces), plus the
  /// boot's own time.
  private static var startTime: MetricSeries.Value? {
    guard let bytes = try? Files.read("/proc/self/stat"), let close = bytes.lastIndex(of: 0x29),
      let started = number(words(bytes[(close + 1)...]), 19), let boot = bootTime
    else { return nil }
    let ticksPerSecond = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    return .number(Double(boot) + Double(started) / ticksPerSecond)
  }

  private static var bootTime: UInt64? {
    guard let bytes = try? Files.read("/proc/stat") else { return nil }
    for line in bytes.split(separator: 0x0A) where line.starts(with: "btime ".utf8) { return number(words(line), 1) }
    return nil
  }

  private static func gauge(_ name: String, _ help: String, _ value: MetricSeries.Value?) -> MetricFamily? {
    family(name, .gauge, help, value)
  }

  private static func family(
    _ name: String, _ kind: MetricKind, _ help: String, _ value: MetricSeries.Value?
  ) -> MetricFamily? {
    value.map { MetricFamily(name, kind: kind, help: help, series: [MetricSeries(MetricLabels(), $0)]) }
  }

  private static func fields(_ path: String) -> [ArraySlice<UInt8>] {
    guard let bytes = try? Files.read(path) else { return [] }
    return words(bytes[...])
  }

  private static func words(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    bytes.split { $0 == 0x20 || $0 == 0x0A }
  }

  private static func number(_ fields: [ArraySlice<UInt8>], _ index: Int) -> UInt64? {
    guard fields.indices.contains(index) else { return nil }
    return parseDecimal(fields[index]).map(UInt64.init)
  }
}
