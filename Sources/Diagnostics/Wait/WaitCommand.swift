// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import Sys

/// `netdiag wait TARGET… [-- COMMAND…]`.
let waitCommand = Netdiag.Command(
  "wait", summary: "waits until all targets are ready, then becomes the command behind --, if there is one",
  operands: "TARGET… [-- COMMAND…]",
  groups: [
    FlagGroup(
      "The waiting",
      [
        Flag("timeout", .duration, "DURATION", default: "60s", summary: "time for all of it", hasEnvironment: false),
        Flag(
          "interval", .duration, "DURATION", default: "250ms", summary: "time between two looks at a target",
          hasEnvironment: false),
        Flag(
          "fail-fast", .bool, summary: "give up once a target fails for a reason that waiting cannot cure",
          details: "Such as a certificate that is not valid, or a server that speaks another protocol.",
          hasEnvironment: false),
      ]),
    TLSFlags.verified,
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let command = flags.operandsAfterDashes ?? []
  let words = flags.operands.dropLast(command.count)
  guard !words.isEmpty else { throw UsageError(line: "name what to wait for, as tcp://HOST:PORT") }
  guard flags.operandsAfterDashes?.isEmpty != true else { throw UsageError(line: "there is no command behind --") }
  guard words.count <= Waiting.maxTargets else {
    throw UsageError(line: "no more than \(Waiting.maxTargets) targets can be waited for")
  }
  let timeout = try invocation.timeout
  guard flags.duration("interval") >= 0 else { throw UsageError(line: "--interval must not be negative") }
  var targets: [WaitTarget] = []
  for word in words { targets.append(try WaitTarget(word, invocation)) }
  let waiting = Waiting(targets, timeout: timeout, invocation)
  let report: WaitReport
  do throws(Fault) { report = try waiting.run() } catch {
    // Nothing was started: the process ends as the signal would have ended it.
    if let signal = waiting.termination { Process.exit(signal.exitCode) }
    return invocation.finish(WaitReport(entries: waiting.entries, error: error.programReason))
  }
  guard report.isReady, let program = command.first else { return invocation.finish(report) }
  // The command's output is its own, unless documents were asked for.
  if flags.bool("json") { _ = invocation.finish(report) }
  let error = Process.become(command)
  StandardStream.error.write("netdiag wait: cannot start \(program.quoted): \(error.text)\n")
  Process.exit(error.errno == Errno.noSuchFile ? 127 : 126)
}
