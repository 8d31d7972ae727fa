// SPDX-License-Identifier: Apache-2.0

internal import JSON

/// What `netdiag doctor` has found: each check on the way to the target, and the one diagnosis that they come to.
struct DoctorReport: Report {
  static let command = "doctor"

  let endpoint: Endpoint
  let expectation: Expectation
  /// The checks, in the order of their layers.
  let checks: [Check]
  let verdict: Verdict
  /// Time of it all, in nanoseconds.
  let time: Int64

  /// A report of checks, in whatever order they come.
  ///
  /// - Parameters:
  ///   - well: the addresses that are all that is expected of them.
  ///   - success: the diagnosis where nothing is wrong.
  init(
    endpoint: Endpoint, expectation: Expectation, checks: [Check], well: Set<String>, surroundings: Surroundings,
    success: String, time: Int64
  ) {
    self.endpoint = endpoint
    self.expectation = expectation
    self.time = time
    let settled = Self.settled(checks, well)
    self.checks = settled.enumerated().sorted { ($0.1.layer, $0.0) < ($1.1.layer, $1.0) }.map { $0.1 }
    verdict = Verdict(of: self.checks, target: endpoint, surroundings: surroundings, success: success)
  }

  /// The checks, weighed against each other: where an address is well, those that are not do not keep a client away.
  private static func settled(_ checks: [Check], _ well: Set<String>) -> [Check] {
    guard !well.isEmpty else { return checks }
    return checks.map { check in
      guard let address = check.address, check.mark > .warning, !well.contains(address) else { return check }
      var check = check
      check.mark = .warning
      return check
    }
  }

  var worst: Mark { checks.map { $0.mark }.max() ?? .unknown }

  var code: String { verdict.code }

  var error: String? { worst == .unknown ? verdict.sentence : nil }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    for check in checks { output.line(check.mark, check.layer.rawValue.padded(to: 13) + check.text) }
    output.plain("")
    output.plain("DIAGNOSIS  \(verdict.code)  \(endpoint.text): \(verdict.sentence)")
    guard verdict.code != "OK" else { return }
    for (title, lines) in [
      ("evidence", verdict.evidence), ("likely", verdict.candidates),
      ("next", verdict.next.isEmpty ? [] : [verdict.next]),
    ] {
      for (index, line) in lines.enumerated() { output.plain((index == 0 ? title : "").padded(to: 11) + line) }
    }
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", endpoint.text)
    json.member("expected", expectation.rawValue)
    json.members("checks", checks) { check, json in
      json.member("layer", check.layer.rawValue)
      json.member("mark", check.mark.word)
      json.member("code", check.code)
      json.member("text", check.text)
      json.member("address", check.address)
    }
    json.key("diagnosis")
    json.beginObject()
    json.member("code", verdict.code)
    json.member("sentence", verdict.sentence)
    json.member("evidence", verdict.evidence)
    json.member("candidates", verdict.candidates)
    json.member("next", verdict.next.isEmpty ? nil : verdict.next)
    json.endObject()
    json.milliseconds("milliseconds", time)
  }
}
