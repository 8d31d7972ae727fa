// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Fault
internal import Flags
internal import Sys

/// `netdiag http2 HOST:PORT`.
let http2Command = Netdiag.Command(
  "http2", summary: "speaks HTTP/2 from the preface on and tells what the server says of itself",
  operands: "HOST:PORT",
  groups: [
    FlagGroup(
      "The connection",
      [
        Flag(
          "timeout", .duration, "DURATION", default: "5s", summary: "time for everything but the idle time",
          hasEnvironment: false),
        Flag(
          "pings", .integer(0...1_000), "N", default: "3", summary: "how many PINGs to send, one after another",
          hasEnvironment: false),
        Flag(
          "idle", .duration, "DURATION", default: "0s",
          summary: "how long to watch whether the idle connection is kept", hasEnvironment: false),
      ]),
    TLSFlags.optional,
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let endpoint = try Endpoint(flags.operands)
  let timeout = try invocation.timeout
  guard flags.duration("idle") >= 0 else { throw UsageError(line: "--idle must not be negative") }
  let tls = try invocation.tlsOptions(host: endpoint.host)
  let deadline = Deadline(nanoseconds: timeout)
  let outcome: Result<HTTP2Findings, Fault>
  do throws(Fault) {
    let waiter = try Waiter(for: endpoint.text)
    let start = Instant.now
    let addresses = try Connector(waiter: waiter).resolve(endpoint.host, port: endpoint.port, until: deadline)
    let resolveTime = Instant.now.nanoseconds(since: start)
    let probe = HTTP2Probe(
      tls: tls, pings: flags.integer("pings"), idle: flags.duration("idle"), waiter: waiter)
    var findings = try probe.run(addresses, until: deadline)
    findings.timings.resolve = resolveTime
    outcome = .success(findings)
  } catch {
    outcome = .failure(error)
  }
  return invocation.finish(HTTP2Report(endpoint: endpoint, outcome: outcome))
}
