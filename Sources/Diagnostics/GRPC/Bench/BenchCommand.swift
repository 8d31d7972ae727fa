// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import JSON
internal import Protobuf
internal import Sys

/// `netdiag grpc bench HOST:PORT SERVICE/METHOD`.
let grpcBenchCommand = Netdiag.Command(
  "grpc bench", summary: "puts a load on a method of a gRPC server and tells how long its calls take",
  operands: "HOST:PORT SERVICE/METHOD",
  groups: [
    FlagGroup(
      "The load",
      [
        Flag(
          "data", .string, "JSON", summary: "requests of each call: JSON values one after another, or @FILE",
          hasEnvironment: false, short: "d"),
        Flag(
          "connections", .integer(1...10_000), "N", default: "10", summary: "how many connections",
          hasEnvironment: false, short: "c"),
        Flag(
          "streams", .integer(1...100_000), "N", default: "10", summary: "how many calls at once on each connection",
          hasEnvironment: false, short: "m"),
        Flag(
          "calls", .integer(1...1_000_000_000), "N", default: "10000", summary: "how many calls in all",
          hasEnvironment: false, short: "n"),
        Flag(
          "duration", .seconds, "DURATION", summary: "begin calls for so long, however many they are",
          details: "A number alone is of seconds.", hasEnvironment: false, short: "z"),
        Flag(
          "rate", .integer(1...10_000_000), "N", summary: "begin so many calls a second, whatever becomes of others",
          details: "The time of a call counts from the instant at which it was due: a server that stands still makes "
            + "all calls late that were due meanwhile.", hasEnvironment: false),
        Flag(
          "timeout", .seconds, "DURATION", default: "20s", summary: "time for a call", hasEnvironment: false),
      ]),
    GRPCFlags.schemas, GRPCFlags.connection, GRPCFlags.time, GRPCFlags.metadata,
  ], completesOperands: true
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let (context, target, name) = try invocation.grpcMethod()
  let data = try RequestData(flags)
  if case .input = data {
    throw UsageError(line: "standard input cannot be the data of many calls: write it into a file, and give @FILE")
  }
  let load = try BenchLoad(flags)
  let waiter = try invocation.waiter(for: target)
  var report = BenchReport(target: target.text, method: name.text, load: load)
  let progress = BenchProgress(isOn: !flags.bool("json"))
  do throws(Problem) {
    try context.withSchemas(waiter) { (schemas, connection) throws(Problem) in
      guard let connection, let waiter else { return }
      report.detection = connection.detection
      let method = try schemas.method(name)
      report.method = method.fullName
      var requests = RequestSource(data, as: method.input, schemas, .json(JSONReadingOptions()))
      let plan = try BenchPlan(load, method, &requests)
      schemas.close()
      let run = BenchRun(plan, connection, waiter, until: context.deadline)
      run.onProgress = { progress.show($0, elapsed: $1) }
      let findings = run.run()
      progress.clear()
      report.findings = findings
      report.problem = findings.problem
    }
  } catch { report.problem = error }
  return invocation.finish(report)
}

/// The load that the flags ask for.
struct BenchLoad {
  let connections: Int
  let streams: Int
  let end: BenchPlan.End
  let rate: Int?
  let callTime: Int64

  init(_ flags: FlagValues) throws(UsageError) {
    connections = flags.integer("connections")
    streams = flags.integer("streams")
    rate = flags.isGiven("rate") ? flags.integer("rate") : nil
    callTime = flags.duration("timeout")
    guard callTime > 0 else { throw UsageError(line: "--timeout must be greater than zero") }
    if flags.isGiven("duration") {
      guard !flags.isGiven("calls") else { throw UsageError(line: "--calls and --duration exclude each other") }
      guard flags.duration("duration") > 0 else { throw UsageError(line: "--duration must be greater than zero") }
      end = .time(flags.duration("duration"))
    } else {
      end = .calls(flags.integer("calls"))
    }
  }
}

extension BenchPlan {
  init(_ load: BenchLoad, _ method: MethodDescriptor, _ requests: inout RequestSource) throws(Problem) {
    var messages: [[UInt8]] = []
    while let message = try requests.next() { messages.append(message) }
    if !method.isClientStreaming {
      guard messages.count <= 1 else {
        throw Problem("REQUEST_INVALID", "\(method.fullName) takes one request, and there are more")
      }
      if messages.isEmpty { messages = [[]] }
    }
    var frames: [UInt8] = []
    for message in messages {
      do throws(Status) { frames += try MessageFramer.frame(message) } catch {
        throw Problem("REQUEST_INVALID", error.message)
      }
    }
    self.init(
      path: method.callPath, kind: method.kind, frames: frames, connections: load.connections, streams: load.streams,
      end: load.end, rate: load.rate, callTime: load.callTime)
  }
}

extension MethodDescriptor {
  /// Which sides send any number of messages.
  var kind: CallKind {
    switch (isClientStreaming, isServerStreaming) {
    case (false, false): .unary
    case (false, true): .serverStreaming
    case (true, false): .clientStreaming
    case (true, true): .bidirectional
    }
  }
}

/// One line on a terminal that tells how far a load has come.
private struct BenchProgress {
  let isOn: Bool

  init(isOn: Bool) { self.isOn = isOn && StandardStream.error.isTerminal }

  func show(_ findings: BenchFindings, elapsed: Int64) {
    guard isOn else { return }
    let rate = Int64(findings.calls) * 1_000_000_000 / max(1, elapsed)
    let failed = findings.failures > 0 ? ", \(findings.failures) failed" : ""
    StandardStream.error.write("\r\u{1B}[K\(findings.calls) calls, \(rate)/s\(failed)")
  }

  func clear() { if isOn { StandardStream.error.write("\r\u{1B}[K") } }
}
