// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import HTTP1
internal import JSON
internal import TLS

/// What `netdiag http` has found.
struct HTTPReport: Report {
  static let command = "http"

  let probe: HTTPProbe
  let outcome: Result<HTTPFindings, Problem>
  /// Whether fields are told to people.
  let isVerbose: Bool
  /// Whether the document holds the body.
  let holdsBody: Bool
  /// The variable that names a proxy, which was not used.
  let proxyVariable: String?

  private var found: HTTPFindings? { try? outcome.get() }

  private var problem: Problem? {
    switch outcome {
    case .failure(let failure): return failure
    case .success(let found):
      if let failure = found.failure { return failure }
      guard let status = found.status else { return Problem("CONNECTION_LOST", "no response from \(found.peer)") }
      return status < 400 ? nil : Problem("HTTP_STATUS", "the status is an error: \(Self.statusLine(found))")
    }
  }

  var worst: Mark { problem?.mark ?? (found?.isBodyCut == true ? .warning : .ok) }

  var code: String { problem?.code ?? "OK" }

  var error: String? { found?.status == nil ? problem?.meaning : nil }

  /// A field's value as it may be shown.
  static func shown(_ field: HTTP1Field) -> String { shownValue(of: field.name, field.value) }

  private static func statusLine(_ found: HTTPFindings) -> String {
    let reason = found.reason.isEmpty ? "" : " " + found.reason.safeForDisplay
    return found.status.map { "\(found.version) \($0)\(reason)" } ?? found.version
  }

  /// Where the server sends the client.
  private var location: String? {
    guard let found, let status = found.status, (300..<400).contains(status) else { return nil }
    return found.fields.first("Location")?.withoutCredentialsInURLs.safeForDisplay
  }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let proxyVariable { output.line(.note, "\(proxyVariable) names a proxy, which is not used here") }
    if isVerbose { write(request: &output) }
    if let found { write(found, to: &output) }
    if let problem { output.line(problem.mark, problem.meaning) }
  }

  private func write(request output: inout TextOutput) {
    output.line(.note, "\(probe.method) \(probe.url.text)")
    for field in probe.fields { output.detail("\(field.name): \(Self.shown(field))") }
    if let body = probe.body { output.detail("and a body of \(body.count) bytes") }
  }

  private func write(_ found: HTTPFindings, to output: inout TextOutput) {
    if let security = found.security {
      let alpn = security.alpn.map { ", ALPN \($0.safeForDisplay)" } ?? ", no ALPN"
      output.line(.ok, "\(security.version.name), \(security.cipherSuite)\(alpn)")
    }
    for status in found.interim { output.line(.note, "interim response \(status)") }
    if let status = found.status {
      output.line(status < 400 ? .ok : .note, "\(Self.statusLine(found)) from \(found.peer)")
      if isVerbose { for field in found.fields { output.detail("\(field.name): \(Self.shown(field))") } }
      if let location { output.line(.note, "redirects to \(location), which is not followed") }
      output.line(
        found.isBodyCut ? .warning : .note,
        found.isBodyCut
          ? "the body is cut at \(found.body.count) bytes: --max-body allows more"
          : "body of \(found.body.count) bytes")
      if isVerbose, !found.trailers.isEmpty {
        output.line(.note, "trailers")
        for field in found.trailers { output.detail("\(field.name): \(Self.shown(field))") }
      }
    }
    let shown = Self.times(found).compactMap { _, name, time in time.map { name + " " + shownDuration($0) } }
    output.line(.note, shown.joined(separator: ", "))
  }

  private static func times(_ found: HTTPFindings?) -> [(key: String, name: String, time: Int64?)] {
    [
      ("resolve", "name", found?.timings.resolve), ("connect", "connect", found?.timings.connect),
      ("tls", "TLS", found?.timings.tls), ("settings", "SETTINGS", found?.timings.settings),
      ("firstByte", "first byte", found?.firstByte), ("total", "whole", found?.total),
    ]
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    let found = found
    json.member("url", probe.url.text)
    json.member("method", probe.method.safeForDisplay)
    json.member("peer", found?.peer)
    json.member("tls", found?.security?.version.name)
    json.member("cipherSuite", found?.security?.cipherSuite)
    json.member("alpn", found?.security?.alpn?.safeForDisplay)
    json.member("version", found?.version)
    json.member("status", found?.status)
    json.member("reason", found?.reason.safeForDisplay)
    json.member("location", location)
    json.key("interim")
    json.beginArray()
    for status in found?.interim ?? [] { json.integer(Int64(status)) }
    json.endArray()
    for (name, fields) in [("headers", found?.fields ?? []), ("trailers", found?.trailers ?? [])] {
      json.members(name, fields) { field, json in
        json.member("name", field.name.safeForDisplay)
        json.member("value", Self.shown(field))
      }
    }
    json.member("bodyBytes", found?.body.count)
    json.member("bodyCut", found?.isBodyCut)
    json.member("body", holdsBody ? found.map { String(decoding: $0.body, as: UTF8.self) } : nil)
    json.member("proxyIgnored", proxyVariable)
    json.member("problem", problem?.meaning)
    json.key("milliseconds")
    json.beginObject()
    for (key, _, time) in Self.times(found) { json.milliseconds(key, time) }
    json.endObject()
  }
}
