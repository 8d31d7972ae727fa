// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import JSON

/// What `netdiag grpc call` has found, beside the answers themselves.
struct CallReport: GRPCReport {
  static let command = "grpc call"

  let target: String
  /// The method's full name, as it was given until it is known.
  var method: String
  var isVerbose = false
  var detection: String?
  var timings: Timings?
  var security: String?
  var findings = CallFindings()
  /// The details of the status: the type's name, and the message as JSON, or in base64 where no schema has the type.
  var details: [(type: String, json: [UInt8])] = []
  /// What was sent as metadata.
  var metadata = Metadata()
  var problem: Problem?

  private var status: Status? { findings.end?.status }

  var worst: Mark { problem?.mark ?? (status.map { $0.code == .ok ? .ok : .failure } ?? .unknown) }

  var code: String {
    if let problem { return problem.code }
    guard let status, status.code != .ok else { return "OK" }
    return Self.diagnosis(status)
  }

  /// The exit code: what a status says comes through.
  var exit: ExitCode? {
    if problem?.code == "REQUEST_INVALID" { return .usage }
    guard problem == nil, let status else { return nil }
    return .status(status.code.rawValue)
  }

  /// The stable code of a status that is no success.
  static func diagnosis(_ status: Status) -> String {
    let words = "\(status.code.constantName): \(status.message)"
    guard status.code == .unimplemented else { return Fault(.callFailed, "", detail: words).diagnosis }
    let said = ErrorText.find(in: Array(words.utf8)).first?.code
    return said == "METHOD_UNIMPLEMENTED" ? "METHOD_UNIMPLEMENTED" : "GRPC_UNIMPLEMENTED"
  }

  // MARK: - Text

  func write(to output: inout TextOutput) {
    if let detection { output.line(.note, detection) }
    if isVerbose { writeExchange(to: &output) }
    if let problem { output.line(problem.mark, problem.meaning) }
    guard let status else { return }
    if status.code == .ok {
      if isVerbose { output.line(.ok, "OK: \(counts)") }
    } else {
      let message = status.message.isEmpty ? "" : ": " + status.message.safeForDisplay
      output.line(.failure, status.code.constantName + message)
      for detail in details {
        output.detail(detail.type.safeForDisplay + " " + String(decoding: detail.json, as: UTF8.self))
      }
    }
    if isVerbose { output.line(.note, times) }
  }

  private var counts: String {
    func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
    return "\(counted(findings.requests, "request")), \(counted(findings.responses, "answer"))"
  }

  private func writeExchange(to output: inout TextOutput) {
    let place = findings.peer.isEmpty ? target : findings.peer
    output.line(.note, "\(method) at \(place)\(security.map { ", " + $0 } ?? "")")
    write(metadata, "sent metadata", to: &output)
    if let headers = findings.headers { write(headers, "headers", to: &output) }
    if let end = findings.end { write(end.trailers, "trailers", to: &output) }
  }

  private func write(_ metadata: Metadata, _ title: String, to output: inout TextOutput) {
    guard !metadata.entries.isEmpty else { return }
    output.line(.note, title)
    for entry in metadata.entries {
      output.detail("\(entry.name.safeForDisplay): \(shownValue(of: entry.name, entry.wireValue))")
    }
  }

  private var steps: [(key: String, name: String, time: Int64?)] {
    [
      ("resolve", "name", timings?.resolve), ("connect", "connect", timings?.connect),
      ("proxy", "proxy", timings?.proxy), ("tls", "TLS", timings?.tls), ("settings", "SETTINGS", timings?.settings),
      ("firstResponse", "first answer", findings.firstResponse),
      ("call", "call", findings.end == nil ? nil : findings.total),
    ]
  }

  private var times: String {
    steps.compactMap { step in step.time.map { step.name + " " + shownDuration($0) } }.joined(separator: ", ")
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", target)
    json.member("peer", findings.peer.isEmpty ? nil : findings.peer)
    json.member("method", method.safeForDisplay)
    json.key("status")
    if let status {
      json.beginObject()
      json.member("code", status.code.rawValue)
      json.member("name", status.code.constantName)
      json.member("message", status.message.safeForDisplay)
      json.members("details", details) { detail, json in
        json.member("type", detail.type.safeForDisplay)
        json.key("value")
        json.raw(detail.json[...])
      }
      json.endObject()
    } else {
      json.null()
    }
    for (name, metadata) in [("headers", findings.headers), ("trailers", findings.end?.trailers)] {
      json.members(name, metadata?.entries ?? []) { entry, json in
        json.member("name", entry.name.safeForDisplay)
        json.member("value", shownValue(of: entry.name, entry.wireValue))
      }
    }
    json.member("requests", findings.requests)
    json.member("responses", findings.responses)
    json.key("milliseconds")
    json.beginObject()
    for step in steps { json.milliseconds(step.key, step.time) }
    json.endObject()
  }
}
