// SPDX-License-Identifier: Apache-2.0

internal import Telemetry
internal import UserStore

/// Shows what the database's threads have to do, so that an operator can see whether calls wait for them.
enum DatabaseMetrics {
  /// Adds the metrics of a pool to a registry. They are read when somebody looks.
  static func register(_ pool: DatabasePool, in registry: MetricsRegistry) {
    // The registry lives as long as the process, the pool does not have to.
    registry.add { [weak pool] in pool.map(families) ?? [] }
  }

  private static func families(_ pool: DatabasePool) -> [MetricFamily] {
    let loads = [("read", pool.readLoad), ("write", pool.writeLoad)].compactMap { kind, load in
      load.map { (MetricLabels([("kind", kind)]), $0) }
    }
    func family(
      _ name: String, _ kind: MetricKind, _ help: String, _ value: (DatabasePool.Load) -> UInt64
    ) -> MetricFamily {
      MetricFamily(
        name, kind: kind, help: help, series: loads.map { MetricSeries($0.0, .integer(value($0.1))) })
    }
    return [
      family("database_waiting_jobs", .gauge, "Jobs that wait for a thread of the database.") { UInt64($0.waiting) },
      family("database_waiting_jobs_limit", .gauge, "Jobs that may wait; further ones are refused.") {
        UInt64($0.capacity)
      },
      family("database_busy_threads", .gauge, "Threads of the database that work.") { UInt64($0.busyThreads) },
      family("database_threads", .gauge, "Threads of the database.") { UInt64($0.threads) },
      family("database_refused_jobs", .counter, "Jobs refused since as many waited as may.") { $0.refused },
    ]
  }
}
