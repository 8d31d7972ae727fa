// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Health
internal import JSON
internal import Sys

/// A check's result, as text on standard error and, if asked for, as JSON on standard output.
///
/// Both together stay below ``limit`` bytes: Docker keeps no more of a check's output, and cut JSON is none.
struct Report {
  /// Docker's bound on the output of a health check, in bytes.
  static let limit = 4096
  /// What is left of it for the one line that the transport's log may add.
  static let logReserve = 256

  let options: ProbeOptions
  let outcome: Outcome
  /// The services asked for, where there may be several.
  var services: [(name: String, outcome: Outcome)] = []
  var timings = Timings()
  var rpcTime: Int64?
  var totalTime: Int64 = 0

  /// The exit code of the process.
  var exitCode: Int32 {
    options.usesDockerCodes && outcome.code != .healthy ? 1 : outcome.code.rawValue
  }

  /// Writes the report, text first.
  func write() {
    let limit = Self.limit - Self.logReserve
    let room = options.writesJSON ? limit / 2 - 1 : limit - 1
    StandardStream.error.write(text(limit: room))
    if options.writesJSON { StandardStream.output.write(json(limit: room) + "\n") }
  }

  /// The lines, in at most `limit` bytes: the contract's last line and the reason always, then as many services as fit.
  func text(limit: Int) -> String {
    var end = outcome.line.shortened(toUTF8Count: limit * 2 / 3) + "\n"
    if let fault = outcome.fault {
      end += "reason: " + fault.reason.shortened(toUTF8Count: max(0, limit - end.utf8.count - 10)) + "\n"
    }
    var start = ""
    var left = services.count
    for (name, outcome) in services {
      let line = "service \(name.shortened(toUTF8Count: 300).quoted): \(Self.word(outcome))\n"
      let more = left > 1 ? 40 : 0  // room for the line that counts the rest
      guard start.utf8.count + line.utf8.count + more + end.utf8.count <= limit else { break }
      start += line
      left -= 1
    }
    if left > 0 { start += "… and \(left) more services\n" }
    return start + end
  }

  /// The JSON object, in at most `limit` bytes: texts are shortened and services left out until it fits.
  func json(limit: Int) -> String {
    for (text, count) in [(Int.max, Int.max), (600, Int.max), (300, 30), (120, 10), (60, 3), (30, 0)] {
      let isTruncated = text < .max
      let object = json(textLimit: text, serviceLimit: count, isTruncated: isTruncated)
      if object.utf8.count <= limit { return object }
    }
    return json(textLimit: 12, serviceLimit: 0, isTruncated: true)
  }

  private func json(textLimit: Int, serviceLimit: Int, isTruncated: Bool) -> String {
    var writer = JSONWriter()
    func cut(_ text: String) -> String { textLimit == .max ? text : text.shortened(toUTF8Count: textLimit) }
    func member(_ key: String, _ value: String?) {
      writer.key(key)
      if let value { writer.string(cut(value)) } else { writer.null() }
    }
    writer.beginObject()
    member("status", outcome.status?.name)
    writer.key("ok")
    writer.boolean(outcome.code == .healthy)
    writer.key("exitCode")
    writer.integer(Int64(exitCode))
    member("address", options.address)
    if case .service(let name) = options.subject { member("service", name) }
    if !services.isEmpty {
      writer.key("services")
      writer.beginArray()
      for (name, outcome) in services.prefix(serviceLimit) {
        writer.beginObject()
        member("service", name)
        member("status", outcome.status?.name)
        if outcome.status == nil { member("error", outcome.line) }
        writer.endObject()
      }
      writer.endArray()
    }
    if outcome.code != .healthy { member("error", outcome.line) }
    if let fault = outcome.fault {
      member("reason", fault.reason)
      writer.key("fault")
      writer.beginObject()
      member("code", fault.code.rawValue)
      member("step", fault.code.step.rawValue)
      writer.key("permanent")
      writer.boolean(fault.code.isPermanent)
      writer.endObject()
    }
    writer.key("timings")
    writer.beginObject()
    let steps = [
      ("resolve", timings.resolve), ("connect", timings.connect), ("proxy", timings.proxy), ("tls", timings.tls),
      ("settings", timings.settings), ("rpc", rpcTime), ("total", totalTime),
    ]
    for (name, time) in steps {
      guard let time else { continue }
      writer.key(name)
      writer.thousandths(time / 1_000)  // nanoseconds to milliseconds with three places
    }
    writer.endObject()
    if isTruncated {
      writer.key("truncated")
      writer.boolean(true)
    }
    writer.endObject()
    return writer.text
  }

  private static func word(_ outcome: Outcome) -> String { outcome.status?.name ?? outcome.line }
}
