// SPDX-License-Identifier: Apache-2.0

import GRPC
import Logging
import TestSupport
import Testing

@testable import Telemetry

private let moment = LogTime(seconds: 1_795_248_000, microseconds: 123)

private func line(_ form: LogSink.Form, _ event: LogFormatter.Event) -> String {
  var formatter = LogFormatter(form: form)
  var bytes: [UInt8] = []
  formatter.append(event, at: moment, to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

private func line(_ form: LogSink.Form, _ call: LogFormatter.Call) -> String {
  var formatter = LogFormatter(form: form)
  var bytes: [UInt8] = []
  formatter.append(call, at: moment, to: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

@Suite struct LogFormatterTests {
  @Test("an event is one line of text, its entries sorted, quoted where they must be")
  func text() {
    let event = LogFormatter.Event(
      level: .notice, message: "started\non two lines", label: "x",
      metadata: [
        "port": "50051", "b": "two words", "a": "", "c": "q\"\\=", "d": ["x", "y z"], "e": ["k": "v"], "f g": "1",
        "u": "é", "n": .stringConvertible(7),
      ])
    #expect(
      line(.text, event)
        == #"2026-11-21T08:00:00.000123Z notice started\non two lines a="" b="two words" c="q\"\\=" d="[x, y z]" "#
        + #"e="{k: v}" "f g"=1 n=7 port=50051 u="é""# + "\n")
  }

  @Test("an event is one object of JSON, and its own entries cannot pass for the line's parts")
  func json() {
    let event = LogFormatter.Event(
      level: .warning, message: "a\"b\n", label: "server",
      metadata: ["level": "fake", "list": ["1", ["k": "v"]], "n": .stringConvertible(7)])
    #expect(
      line(.json, event)
        == #"{"time":"2026-11-21T08:00:00.000123Z","level":"warning","message":"a\"b\n","logger":"server","#
        + #""metadata.level":"fake","list":["1",{"k":"v"}],"n":"7"}"# + "\n")
  }

  @Test("a call is told in the words that people search for")
  func call() {
    let call = LogFormatter.Call(
      method: "/user.v1.UserService/GetUser", code: .deadlineExceeded, duration: 1_234_567, peer: "127.0.0.1:4000",
      requestID: "abc", message: "too late", trace: TraceID(high: 1, low: 2))
    let trace = "00000000000000010000000000000002"
    #expect(
      line(.text, call)
        == "2026-11-21T08:00:00.000123Z info call method=/user.v1.UserService/GetUser code=DeadlineExceeded "
        + "duration=1.234ms peer=127.0.0.1:4000 request_id=abc status_message=\"too late\" trace_id=\(trace)\n")
    #expect(
      line(.json, call)
        == #"{"time":"2026-11-21T08:00:00.000123Z","level":"info","message":"call","#
        + #""method":"/user.v1.UserService/GetUser","code":"DeadlineExceeded","duration_ms":1.234,"#
        + #""peer":"127.0.0.1:4000","request_id":"abc","status_message":"too late","trace_id":"\#(trace)"}"# + "\n")
  }

  @Test("whatever a peer sends stays within one line", arguments: LogSink.Form.allCases, [1, 2])
  func hostile(form: LogSink.Form, seed: UInt64) throws {
    var random = SeededGenerator(seed)
    for _ in 0..<500 {
      let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random) : UInt8.random(in: 0x20...0x7E, using: &random)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let lines = [
        line(
          form,
          LogFormatter.Call(
            method: text, code: StatusCode(rawValue: Int.random(in: -2...20, using: &random)),
            duration: Int64.random(in: .min...(.max), using: &random), peer: text, requestID: text, message: text,
            trace: nil)),
        line(form, LogFormatter.Event(level: .info, message: text, label: text, metadata: [text: .string(text)])),
      ]
      for line in lines {
        #expect(line.utf8.last == 0x0A)
        #expect(!line.utf8.dropLast().contains { $0 < 0x20 || $0 == 0x7F && form == .text })
      }
    }
  }

  @Test("deep nesting and long texts are cut")
  func bounds() {
    var value: Logger.MetadataValue = "x"
    for _ in 0..<100 { value = ["k": value] }
    let event = LogFormatter.Event(
      level: .info, message: String(repeating: "m", count: 100_000), label: "", metadata: ["deep": value])
    #expect(line(.text, event).utf8.count < 5_000)
    #expect(line(.json, event).hasSuffix(#""deep":{"k":{"k":{"k":{"k":{"k":{"k":{"k":{"k":null}}}}}}}}}"# + "\n"))
  }

  @Test(
    "numbers are written in decimal, at least so many digits wide",
    arguments: [(0, 1, "0"), (7, 3, "007"), (1_000, 3, "1000"), (.max, 1, "18446744073709551615"), (99, 2, "99")])
  func decimals(number: UInt64, digits: Int, text: String) {
    var bytes: [UInt8] = []
    bytes.appendDecimal(number, digits: digits)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
  }
}
