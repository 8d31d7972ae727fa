// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import JSON

/// What `netdiag grpc bench` has measured.
struct BenchReport: GRPCReport {
  static let command = "grpc bench"

  let target: String
  /// The method's full name, as it was given until it is known.
  var method: String
  let load: BenchLoad
  var detection: String?
  /// What came of the load; nil where it did not begin.
  var findings: BenchFindings?
  var problem: Problem?

  var worst: Mark {
    if let problem { return problem.mark }
    guard let findings else { return .unknown }
    return findings.failures + findings.notBegun > 0 ? .failure : findings.permittedStreams != nil ? .warning : .ok
  }

  var code: String {
    if let problem { return problem.code }
    guard let worst = findings?.messages.first else { return findings?.notBegun ?? 0 > 0 ? "DEADLINE_EXPIRED" : "OK" }
    return CallReport.diagnosis(Status(worst.code, worst.message))
  }

  /// Shares of the calls, in thousandths, and what they are called.
  private static let quantiles: [(perMille: UInt64, text: String, key: String)] = [
    (500, "p50", "p50"), (900, "p90", "p90"), (990, "p99", "p99"), (999, "p99.9", "p999"),
  ]

  private static func rate(_ findings: BenchFindings) -> Int64 {
    // In whole calls; times below 100 s would not leave the range.
    Int64(Double(findings.calls) * 1e9 / Double(findings.time))
  }

  // MARK: - Text

  func write(to output: inout TextOutput) {
    writeBeginning(to: &output)
    guard let findings else { return }
    let connections = "\(load.connections) connection\(load.connections == 1 ? "" : "s")"
    let pace = load.rate.map { ", begun at \($0)/s" } ?? ""
    output.line(
      findings.failures == 0 && problem == nil ? .ok : .failure,
      "\(method): \(findings.calls) calls in \(shownDuration(findings.time)), \(Self.rate(findings))/s")
    output.detail("\(connections) with up to \(load.streams) call\(load.streams == 1 ? "" : "s") at once\(pace)")
    if let permitted = findings.permittedStreams {
      output.line(.warning, "the server permits \(permitted) calls at once on a connection")
    }
    if findings.reconnections > 0 {
      output.line(.note, "\(findings.reconnections) connections were made anew, as the server had ended them")
    }
    if findings.notBegun > 0 {
      output.line(
        .failure, "\(findings.notBegun) calls were due and never begun: all that may run at once were waiting")
    }
    for status in findings.statuses.sorted(by: { $0.code.rawValue < $1.code.rawValue }) {
      let message = findings.messages.first { $0.code == status.code }?.message ?? ""
      let said = message.isEmpty ? "" : ", such as: " + message.safeForDisplay
      output.line(status.code == .ok ? .ok : .failure, "\(status.code.constantName): \(status.count) calls\(said)")
    }
    writeLatencies(findings.latencies, to: &output)
  }

  private func writeLatencies(_ latencies: LatencyHistogram, to output: inout TextOutput) {
    guard latencies.count > 0 else { return }
    var parts = ["least \(shownDuration(latencies.shortest))", "mean \(shownDuration(latencies.mean))"]
    for quantile in Self.quantiles {
      parts.append("\(quantile.text) \(shownDuration(latencies.quantile(perMille: quantile.perMille)))")
    }
    output.line(.note, (parts + ["most \(shownDuration(latencies.longest))"]).joined(separator: ", "))
    let bars = Self.bars(latencies)
    let most = bars.map { $0.count }.max() ?? 1
    for bar in bars {
      let length = Int((bar.count * 40 + most - 1) / most)
      output.detail(
        "up to " + shownDuration(bar.bound).padded(to: 10) + "\(bar.count)".padded(to: 11)
          + String(repeating: "▇", count: length))
    }
  }

  /// Counts by bounds in the steps 1, 2, 5, 10 that people read easily.
  static func bars(_ latencies: LatencyHistogram) -> [(bound: Int64, count: UInt64)] {
    var bars: [(bound: Int64, count: UInt64)] = []
    var lower: Int64 = -1
    var decade: Int64 = 1_000
    while decade < 1_000_000_000_000 {
      for step in [1, 2, 5] as [Int64] {
        let count = latencies.count(above: lower, through: decade * step)
        lower = decade * step
        if count > 0 || !bars.isEmpty { bars.append((lower, count)) }
        if latencies.longest <= lower { return bars }
      }
      decade *= 10
    }
    let rest = latencies.count(above: lower, through: .max)
    return rest > 0 ? bars + [(latencies.longest, rest)] : bars
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", target)
    json.member("method", method.safeForDisplay)
    json.member("connections", load.connections)
    json.member("streams", load.streams)
    json.member("permittedStreams", findings?.permittedStreams)
    json.member("wantedRate", load.rate)
    json.member("calls", findings?.calls)
    json.member("failures", findings?.failures)
    json.member("responses", findings?.responses)
    json.member("notBegun", findings?.notBegun)
    json.member("reconnections", findings?.reconnections)
    json.member("callsPerSecond", findings.map { Self.rate($0) })
    json.members("statuses", findings?.statuses ?? []) { status, json in
      json.member("code", status.code.rawValue)
      json.member("name", status.code.constantName)
      json.member("count", status.count)
      json.member("message", findings?.messages.first { $0.code == status.code }?.message.safeForDisplay)
    }
    json.key("milliseconds")
    json.beginObject()
    let latencies = findings?.latencies
    json.milliseconds("total", findings?.time)
    json.milliseconds("least", latencies?.shortest)
    json.milliseconds("mean", latencies?.mean)
    for quantile in Self.quantiles {
      json.milliseconds(quantile.key, latencies?.quantile(perMille: quantile.perMille))
    }
    json.milliseconds("most", latencies?.longest)
    json.endObject()
    json.members("histogram", latencies.map { Self.bars($0) } ?? []) { bar, json in
      json.milliseconds("upToMilliseconds", bar.bound)
      json.member("calls", Int64(clamping: bar.count))
    }
  }
}
