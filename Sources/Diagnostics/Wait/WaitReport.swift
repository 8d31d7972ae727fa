// SPDX-License-Identifier: Apache-2.0

internal import JSON

/// What `netdiag wait` ends with.
struct WaitReport: Report {
  static let command = "wait"

  /// One target, and what is known of it.
  struct Entry {
    let text: String
    /// Why it is not ready; nil where it is, or nothing is known yet.
    var reason: WaitTarget.Reason?
    var isReady = false
    /// Time from the start until what is known was, in nanoseconds.
    var time: Int64 = 0

    /// The stable code.
    var code: String { isReady ? "OK" : reason?.code ?? "DEADLINE_EXPIRED" }

    /// What is known, without a full stop.
    var meaning: String { isReady ? "ready" : reason?.meaning ?? "no look at it has come to an end" }

    func appendMembers(to json: inout JSONWriter) {
      json.member("target", text)
      json.member("ready", isReady)
      json.member("code", code)
      json.member("meaning", meaning)
      json.milliseconds("milliseconds", time)
    }

    /// The entry as a document of its own, for a change.
    var json: String {
      var json = JSONWriter()
      json.beginObject()
      json.member("schema", 1)
      json.member("command", WaitReport.command)
      appendMembers(to: &json)
      json.endObject()
      return json.text
    }
  }

  var entries: [Entry]
  /// What kept the command from waiting; nil where nothing did.
  var error: String?

  var isReady: Bool { entries.allSatisfy { $0.isReady } }

  var worst: Mark { error == nil && isReady ? .ok : .failure }

  var code: String { error == nil ? entries.first { !$0.isReady }?.code ?? "OK" : "SYSTEM_FAILURE" }

  /// The report for people.
  func write(to output: inout TextOutput) {
    for entry in entries {
      if entry.isReady {
        output.line(.ok, "\(entry.text)  ready after \(shownDuration(entry.time))")
      } else {
        output.line(.failure, "\(entry.text)  \(entry.code): \(entry.meaning)")
      }
    }
    if let error { output.line(.failure, error) }
  }

  func appendMembers(to json: inout JSONWriter) {
    json.members("targets", entries) { entry, json in entry.appendMembers(to: &json) }
  }
}
