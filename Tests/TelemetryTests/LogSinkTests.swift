// SPDX-License-Identifier: Apache-2.0

import GRPC
import Glibc
import Logging
import Testing

@testable import Telemetry

/// A pipe whose reading end the test holds.
private struct Pipe {
  let reading: Int32
  let writing: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe2(&ends, O_CLOEXEC) == 0)
    reading = ends[0]
    writing = ends[1]
  }

  /// Fills it with lines of a dot, so that the next write waits for a reader.
  func fill() {
    let flags = fcntl(writing, F_GETFL)
    _ = fcntl(writing, F_SETFL, flags | O_NONBLOCK)
    while write(writing, ".\n", 2) == 2 {}
    _ = fcntl(writing, F_SETFL, flags)
  }

  /// What was written, to the end; closes the writing end first.
  func contents() -> String {
    close(writing)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(reading, &chunk, chunk.count)
      if count <= 0 { break }
      bytes += chunk.prefix(count)
    }
    close(reading)
    return String(decoding: bytes, as: UTF8.self)
  }
}

@Suite struct LogSinkTests {
  @Test("what swift-log writes reaches the descriptor, in order, with the logger's and the line's own entries")
  func handler() throws {
    let pipe = try Pipe()
    let sink = LogSink(descriptor: pipe.writing)
    var logger = Logger(label: "test") { SinkLogHandler(label: $0, sink: sink, level: .debug) }
    logger[metadataKey: "a"] = "1"
    logger[metadataKey: "b"] = "1"
    logger.trace("too fine")
    logger.debug("first", metadata: ["b": "2"])
    logger.error("second")
    sink.call(method: "/a/B", code: .unavailable, duration: 5_000, peer: "peer", requestID: "id")
    #expect(sink.close(atMost: .seconds(60)))
    logger.error("after the end")
    let lines = pipe.contents().split(separator: "\n").map { $0.drop { $0 != " " } }
    #expect(
      lines == [
        " debug first a=1 b=2", " error second a=1 b=1",
        " info call method=/a/B code=Unavailable duration=0.005ms peer=peer request_id=id",
      ])
    #expect(sink.droppedLines == 1)
  }

  @Test("lines of many threads come out whole, none lost and none twice")
  func threads() async throws {
    let pipe = try Pipe()
    let sink = LogSink(descriptor: pipe.writing)
    let contents = Task.detached { () -> String in
      // Reads meanwhile, as the pipe is smaller than the log.
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(pipe.reading, &chunk, chunk.count)
        if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk.prefix(count)
      }
    }
    await withTaskGroup { group in
      for task in 0..<4 {
        group.addTask {
          for index in 0..<500 {
            sink.call(method: "/t\(task)/\(index)", code: .ok, duration: 0, peer: "p", requestID: "")
          }
        }
      }
    }
    #expect(sink.flush(atMost: .seconds(60)))
    #expect(sink.close(atMost: .seconds(60)))
    close(pipe.writing)
    let lines = await contents.value.split(separator: "\n")
    close(pipe.reading)
    #expect(lines.count == 2_000)
    let methods = Set(lines.compactMap { $0.split(separator: " ").dropFirst(3).first })
    #expect(methods.count == 2_000)
    for line in lines { #expect(line.hasSuffix(#"code=OK duration=0.000ms peer=p request_id="""#)) }
  }

  @Test("an output that is stuck holds nobody up: lines are dropped, and their number is told later")
  func stuck() throws {
    let pipe = try Pipe()
    pipe.fill()
    let sink = LogSink(descriptor: pipe.writing, limit: 1_000)
    let logger = Logger(label: "test") { SinkLogHandler(label: $0, sink: sink) }
    // The pipe is full and nobody reads: all that finds room are the buffers.
    let long = String(repeating: "x", count: 900)
    for _ in 0..<500 { logger.info("\(long)") }
    #expect(!sink.flush(atMost: .milliseconds(1)))
    let dropped = sink.droppedLines
    #expect(dropped > 300)
    #expect(!sink.close(atMost: .zero))
    // The reading end goes away only at the end, so what was taken comes out whole.
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while !String(decoding: bytes.suffix(200), as: UTF8.self).contains("too slow") {
      let count = read(pipe.reading, &chunk, chunk.count)
      try #require(count > 0)
      bytes += chunk.prefix(count)
    }
    #expect(sink.close(atMost: .seconds(60)))
    let rest = pipe.contents()
    let lines = (String(decoding: bytes, as: UTF8.self) + rest).split(separator: "\n").drop { $0 == "." }
    let told = lines.compactMap { line -> UInt64? in
      guard line.contains("log lines were dropped: the output is too slow lines=") else { return nil }
      return line.split(separator: "=").last.flatMap { UInt64($0) }
    }
    #expect(told.reduce(0, +) == dropped)
    #expect(UInt64(lines.count - told.count) + dropped == 500)
  }

  @Test("a line that is longer than the buffer is dropped whole")
  func tooLong() throws {
    let pipe = try Pipe()
    let sink = LogSink(form: .json, descriptor: pipe.writing, limit: 100)
    sink.call(method: String(repeating: "m", count: 500), code: .ok, duration: 0, peer: "", requestID: "")
    #expect(sink.close(atMost: .seconds(60)))
    let lines = pipe.contents().split(separator: "\n")
    #expect(lines.count == 1)
    #expect(lines.first?.hasSuffix(#""message":"log lines were dropped: the output is too slow","lines":"1"}"#) == true)
  }

  @Test("a reader that has gone is no signal and no wait")
  func closedPipe() throws {
    let pipe = try Pipe()
    close(pipe.reading)
    let sink = LogSink(descriptor: pipe.writing)
    sink.call(method: "/a/B", code: .ok, duration: 0, peer: "", requestID: "")
    #expect(sink.close(atMost: .seconds(60)))
    close(pipe.writing)
  }

  @Test(
    "the level is that of the flag, else of the variable, else of the Go implementation's variables, else info",
    arguments: [
      ("debug", ["SONDE_LOG_LEVEL": "error"], Logger.Level.debug), (nil, ["SONDE_LOG_LEVEL": "ERROR"], .error),
      ("warn", [:], .warning), ("Critical", [:], .critical), (nil, [:], .info), (nil, ["SONDE_LOG_LEVEL": ""], .info),
      (nil, ["GRPC_GO_LOG_SEVERITY_LEVEL": "error", "GRPC_GO_LOG_VERBOSITY_LEVEL": "99"], .error),
      (nil, ["GRPC_GO_LOG_SEVERITY_LEVEL": "Warning"], .warning), (nil, ["GRPC_GO_LOG_SEVERITY_LEVEL": "info"], .info),
      (nil, ["GRPC_GO_LOG_SEVERITY_LEVEL": "info", "GRPC_GO_LOG_VERBOSITY_LEVEL": "99"], .trace),
      (nil, ["GRPC_GO_LOG_VERBOSITY_LEVEL": "2"], .debug), (nil, ["GRPC_GO_LOG_VERBOSITY_LEVEL": "1"], .info),
      (nil, ["GRPC_GO_LOG_VERBOSITY_LEVEL": "many", "GRPC_GO_LOG_SEVERITY_LEVEL": "loud"], .info),
      (nil, ["SONDE_LOG_LEVEL": "notice", "GRPC_GO_LOG_SEVERITY_LEVEL": "error"], .notice),
    ] as [(String?, [String: String], Logger.Level)])
  func levels(flag: String?, environment: [String: String], level: Logger.Level) throws {
    #expect(try LogLevelChoice.resolve(flag: flag) { environment[$0] } == level)
  }

  @Test("a name that is no level is refused with the choices")
  func unknownLevel() {
    let error = #expect(throws: UnknownLogLevel.self) { try LogLevelChoice.resolve(flag: "loud") { _ in nil } }
    #expect(
      error?.description
        == #"--log-level: no log level "loud"; the levels are trace, debug, info, notice, warning, error, critical"#)
    #expect(throws: UnknownLogLevel(source: "SONDE_LOG_LEVEL", value: "x")) {
      try LogLevelChoice.resolve(flag: nil) { $0 == "SONDE_LOG_LEVEL" ? "x" : nil }
    }
  }
}
