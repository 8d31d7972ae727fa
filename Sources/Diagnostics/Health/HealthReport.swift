// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HealthProbe
internal import JSON
internal import Sys

/// What `netdiag health` has found.
struct HealthReport {
  let endpoint: Endpoint
  /// What the server said of its services; nil where nothing could be asked.
  let check: HealthCheck?
  /// What kept the server from being asked.
  let failure: Fault?

  private var services: [HealthCheck.Service] { check?.services ?? [] }

  private static func mark(_ service: HealthCheck.Service) -> Mark { service.fault == nil ? .ok : .failure }

  /// The worst that is said of any service.
  var worst: Mark { failure == nil ? services.map { Self.mark($0) }.max() ?? .ok : .failure }

  /// The code of the first service that is not well; `OK` where all are.
  var code: String { (failure ?? services.compactMap { $0.fault }.first)?.code.diagnosis ?? "OK" }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let failure { output.line(.failure, failure.programReason) }
    for service in services {
      let name = service.name.isEmpty ? "the server as a whole" : service.name.safeForDisplay
      if let fault = service.fault {
        output.line(.failure, "\(name): \(service.status ?? "no status")")
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
    let shown = steps.compactMap { name, time in time.map { name + " " + TCPReport.duration($0) } }
    return shown.isEmpty ? "no step was completed" : shown.joined(separator: ", ")
  }

  // MARK: - JSON

  /// The report as one document.
  var json: JSONWriter {
    var json = JSONWriter()
    json.beginObject()
    json.key("schema")
    json.integer(1)
    json.key("command")
    json.string("health")
    json.key("ok")
    json.boolean(worst <= .warning)
    json.key("code")
    json.string(code)
    json.key("error")
    json.optional(failure?.programReason)
    json.key("target")
    json.string(endpoint.text)
    json.key("services")
    json.beginArray()
    for service in services {
      json.beginObject()
      json.key("name")
      json.string(service.name.safeForDisplay)
      json.key("status")
      json.optional(service.status)
      json.key("code")
      json.string(service.fault?.code.diagnosis ?? "OK")
      json.key("reason")
      json.optional(service.fault?.programReason)
      json.endObject()
    }
    json.endArray()
    json.key("milliseconds")
    json.beginObject()
    let timings = check?.timings
    for (name, time) in [
      ("resolve", timings?.resolve), ("connect", timings?.connect), ("proxy", timings?.proxy), ("tls", timings?.tls),
      ("settings", timings?.settings), ("call", check?.callTime),
    ] {
      json.key(name)
      if let time { json.thousandths(time / 1_000) } else { json.null() }
    }
    json.endObject()
    json.endObject()
    return json
  }
}
