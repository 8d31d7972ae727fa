// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP2
internal import JSON
internal import TLS

/// What `netdiag http2` has found.
struct HTTP2Report: Report {
  static let command = "http2"

  let endpoint: Endpoint
  let outcome: Result<HTTP2Findings, Fault>

  private var found: HTTP2Findings? { try? outcome.get() }

  /// What is wrong, the first cause first.
  private var problems: [HTTP2Findings.Problem] {
    switch outcome {
    case .failure(let fault): [HTTP2Findings.Problem(fault)]
    case .success(let found): found.problems
    }
  }

  var worst: Mark { problems.map { $0.mark }.max() ?? .ok }

  var code: String { problems.first?.code ?? "OK" }

  var error: String? {
    if case .failure(let fault) = outcome { fault.programReason } else { nil }
  }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let found { write(found, to: &output) }
    for problem in problems { output.line(problem.mark, problem.text) }
  }

  private func write(_ found: HTTP2Findings, to output: inout TextOutput) {
    let security = found.security.map { "over \($0.version.name)" } ?? "in the clear"
    output.line(.ok, "HTTP/2 \(security) with \(found.peer)")
    output.line(.ok, "SETTINGS" + (found.timings.settings.map { " after " + shownDuration($0) } ?? ""))
    for setting in found.settings { output.detail(setting.name.padded(to: 24) + String(setting.value)) }
    if found.settings.isEmpty { output.detail("empty: the protocol's own values hold") }
    if let time = found.acknowledgement { output.line(.ok, "our SETTINGS acknowledged after " + shownDuration(time)) }
    if found.windowIncrement > 0 {
      let window = found.windowIncrement + 65_535
      output.line(.note, "window of the connection opened by \(found.windowIncrement) bytes, to \(window)")
    }
    if !found.pings.isEmpty {
      let times = found.pings.prefix(10).map { shownDuration($0) }.joined(separator: ", ")
      let more = found.pings.count > 10 ? " …" : ""
      output.line(.ok, "\(found.pings.count) of \(found.sentPings) PINGs answered in " + times + more)
    }
    if let goAway = found.goAway {
      let said = goAway.debugText.isEmpty ? "" : ", it says " + goAway.debugText.quoted
      output.line(.note, "GOAWAY \(goAway.code.name), last stream \(goAway.lastStreamID)" + said)
    }
    if let idle = found.idle { output.line(.note, Self.text(found.idleEnd, after: shownDuration(idle))) }
  }

  private static func text(_ end: HTTP2Findings.End?, after time: String) -> String {
    switch end {
    case .goAway: "the idle connection was ended by the server's GOAWAY after \(time)"
    case .closed: "the idle connection was closed by the server after \(time), without a GOAWAY (FIN)"
    case .reset: "the idle connection was reset after \(time), without a GOAWAY (RST)"
    case nil: "the idle connection was kept for \(time)"
    }
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    let found = found
    json.member("target", endpoint.text)
    json.member("peer", found?.peer)
    json.member("tls", found?.security?.version.name)
    json.member("alpn", found?.security?.alpn?.safeForDisplay)
    json.members("settings", found?.settings ?? []) { setting, json in
      json.member("id", setting.identifier)
      json.member("name", setting.name)
      json.member("value", setting.value)
    }
    json.member("windowIncrement", found?.windowIncrement)
    json.member("pingsSent", found?.sentPings)
    json.key("pingMilliseconds")
    json.beginArray()
    for time in found?.pings ?? [] { json.thousandths(time / 1_000) }
    json.endArray()
    json.key("goAway")
    if let goAway = found?.goAway {
      json.beginObject()
      json.member("code", goAway.code.name)
      json.member("lastStream", goAway.lastStreamID)
      json.member("debug", goAway.debugText.safeForDisplay)
      json.endObject()
    } else {
      json.null()
    }
    json.milliseconds("idleMilliseconds", found?.idle)
    json.member("idleEnd", found?.idleEnd?.word)
    json.key("milliseconds")
    json.beginObject()
    for (name, time) in [
      ("resolve", found?.timings.resolve), ("connect", found?.timings.connect), ("tls", found?.timings.tls),
      ("settings", found?.timings.settings), ("acknowledged", found?.acknowledgement),
    ] {
      json.milliseconds(name, time)
    }
    json.endObject()
    json.members("problems", problems) { problem, json in
      json.member("code", problem.code)
      json.member("text", problem.text)
    }
  }
}

extension HTTP2Findings.End {
  /// The stable name in JSON.
  fileprivate var word: String {
    switch self {
    case .goAway: "GOAWAY"
    case .closed: "FIN"
    case .reset: "RST"
    }
  }
}
