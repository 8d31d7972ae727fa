// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import JSON
internal import Logging

/// Writes the lines of a log in one of two forms.
struct LogFormatter: Sendable {
  /// The longest text within a line, in bytes; longer ones are cut.
  static let textLimit = 4 << 10
  /// How many entries of metadata a line has at most; the first by name stay.
  static let entryLimit = 64

  /// What a program says.
  struct Event {
    let level: Logger.Level
    let message: String
    let label: String
    let metadata: Logger.Metadata
  }

  /// A call that ended.
  struct Call {
    let method: String
    let code: StatusCode
    let duration: Int64
    let peer: String
    let requestID: String
    let message: String
    let trace: TraceID?
  }

  private let form: LogSink.Form
  private var time = LogTimeText()

  init(form: LogSink.Form) { self.form = form }

  /// Appends the line of an event.
  mutating func append(_ event: Event, at moment: LogTime, to bytes: inout [UInt8]) {
    begin(event.level, event.message.shortened(toUTF8Count: Self.textLimit), at: moment, &bytes)
    if form == .json, !event.label.isEmpty { append("logger", event.label, &bytes) }
    for (key, value) in event.metadata.sorted(by: { $0.key < $1.key }).prefix(Self.entryLimit) {
      switch form {
      case .text: append(key, MetadataText.text(value), &bytes)
      case .json:
        appendKey(Self.isTaken(key) ? "metadata." + key : key, &bytes)
        MetadataText.appendJSON(value, to: &bytes)
      }
    }
    end(&bytes)
  }

  /// Appends the line of a call.
  mutating func append(_ call: Call, at moment: LogTime, to bytes: inout [UInt8]) {
    begin(.info, "call", at: moment, &bytes)
    append("method", call.method, &bytes)
    append("code", call.code.name, &bytes)
    switch form {
    case .text:
      bytes += " duration=".utf8
      bytes.appendMilliseconds(call.duration)
      bytes += "ms".utf8
    case .json:
      bytes += ",\"duration_ms\":".utf8
      bytes.appendMilliseconds(call.duration)
    }
    append("peer", call.peer, &bytes)
    append("request_id", call.requestID, &bytes)
    if !call.message.isEmpty { append("status_message", call.message, &bytes) }
    if let trace = call.trace { append("trace_id", trace.text, &bytes) }
    end(&bytes)
  }

  /// Appends the line that tells how many lines are missing here.
  mutating func appendDropped(_ count: UInt64, to bytes: inout [UInt8]) {
    begin(.warning, "log lines were dropped: the output is too slow", at: .now, &bytes)
    append("lines", String(count), &bytes)
    end(&bytes)
  }

  /// The keys that a line's own parts have in JSON.
  private static func isTaken(_ key: String) -> Bool {
    key == "time" || key == "level" || key == "message" || key == "logger"
  }

  private mutating func begin(_ level: Logger.Level, _ message: String, at moment: LogTime, _ bytes: inout [UInt8]) {
    switch form {
    case .text:
      time.append(moment, to: &bytes)
      bytes.append(0x20)
      bytes += level.rawValue.utf8
      bytes.append(0x20)
      bytes += message.safeForDisplay.utf8
    case .json:
      bytes += "{\"time\":\"".utf8
      time.append(moment, to: &bytes)
      bytes += "\",\"level\":\"".utf8
      bytes += level.rawValue.utf8
      bytes += "\",\"message\":".utf8
      JSONWriter.appendQuoted(message, to: &bytes)
    }
  }

  private func end(_ bytes: inout [UInt8]) {
    if form == .json { bytes.append(0x7D) }
    bytes.append(0x0A)
  }

  private func append(_ key: String, _ value: String, _ bytes: inout [UInt8]) {
    appendKey(key, &bytes)
    switch form {
    case .text: MetadataText.appendWord(value, to: &bytes)
    case .json: JSONWriter.appendQuoted(MetadataText.short(value), to: &bytes)
    }
  }

  private func appendKey(_ key: String, _ bytes: inout [UInt8]) {
    switch form {
    case .text:
      bytes.append(0x20)
      MetadataText.appendWord(key, to: &bytes)
      bytes.append(0x3D)
    case .json:
      bytes.append(0x2C)
      JSONWriter.appendQuoted(MetadataText.short(key), to: &bytes)
      bytes.append(0x3A)
    }
  }
}
