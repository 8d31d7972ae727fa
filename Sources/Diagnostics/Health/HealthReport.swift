// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HealthProbe
internal import JSON
internal import Sys

/// What `netdiag health` has found.
struct HealthReport: Report {
  static let command = "health"

  let endpoint: Endpoint
  /// What the server said of its services; nil where nothing could be asked.
  let check: HealthCheck?
  /// What kept the server from being asked.
  let failure: Fault?

  private var services: [HealthCheck.Service] { check?.services ?? [] }

  private static func mark(_ service: HealthCheck.Service) -> Mark { service.fault?.mark ?? .ok }

  /// The worst that is said of any service.
  var worst: Mark { failure?.mark ?? services.map { Self.mark($0) }.max() ?? .ok }

  /// The code of the first service that is not well; `OK` where all are.
  var code: String { failure?.diagnosis ?? services.first { $0.fault != nil }?.diagnosis ?? "OK" }

  var error: String? { failure?.programReason }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let failure { output.line(failure.mark, failure.programReason) }
    for service in services {
      let name = service.name.isEmpty ? "the server as a whole" : service.name.safeForDisplay
      if let fault = service.fault {
        output.line(fault.mark, "\(name): \(service.status ?? "no status")")
        output.detail(fault.programReason)
      } else {
        output.line(.ok, "\(name): \(service.status ?? "")")
      }
    }
    if services.isEmpty, failure == nil { output.line(.ok, "the server lists no service") }
    if let check { output.line(.note, Self.times(check)) }
  }

  private static func times(_ check: HealthCheck) -> String {
    let steps: [(String, Int64?)] = [
      ("name", check.timings?.resolve), ("connect", check.timings?.connect), ("proxy", check.timings?.proxy),
      ("TLS", check.timings?.tls), ("SETTINGS", check.timings?.settings), ("call", check.callTime),
    ]
    let shown = steps.compactMap { name, time in time.map { name + " " + shownDuration($0) } }
    return shown.isEmpty ? "no step was completed" : shown.joined(separator: ", ")
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", endpoint.text)
    json.members("services", services) { service, json in
      json.member("name", service.name.safeForDisplay)
      json.member("status", service.status)
      json.member("code", service.diagnosis)
      json.member("reason", service.fault?.programReason)
    }
    json.key("milliseconds")
    json.beginObject()
    let timings = check?.timings
    for (name, time) in [
      ("resolve", timings?.resolve), ("connect", timings?.connect), ("proxy", timings?.proxy), ("tls", timings?.tls),
      ("settings", timings?.settings), ("call", check?.callTime),
    ] {
      json.milliseconds(name, time)
    }
    json.endObject()
  }
}
