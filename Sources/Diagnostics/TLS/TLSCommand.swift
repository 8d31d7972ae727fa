// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import Sys
internal import TLS

/// `netdiag tls HOST:PORT`.
let tlsCommand = Netdiag.Command(
  "tls", summary: "shakes hands over TLS and tells everything that is wrong with it", operands: "HOST:PORT",
  groups: [
    FlagGroup(
      "The handshake",
      [
        Flag(
          "timeout", .duration, "DURATION", default: "10s", summary: "time for everything", hasEnvironment: false),
        Flag(
          "min-days", .integer(0...36_500), "DAYS", default: "14",
          summary: "how many days the certificate must still be valid", hasEnvironment: false),
        Flag(
          "no-http2", .bool, summary: "do not mind a server that does not choose h2 by ALPN", hasEnvironment: false),
      ]),
    FlagGroup("TLS", TLSFlags.names),
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let endpoint = try Endpoint(flags.operands)
  let timeout = try invocation.timeout
  let configuration = try TLSClientConfiguration(invocation, host: endpoint.host, alpn: ["h2", "http/1.1"])
  let outcome: Result<TLSFindings, Fault>
  do throws(Fault) {
    outcome = .success(
      try TLSProbe(
        endpoint: endpoint, configuration: configuration, waiter: try Waiter(for: endpoint.text),
        deadline: Deadline(nanoseconds: timeout)
      ).run())
  } catch {
    outcome = .failure(error)
  }
  let report = TLSReport(
    endpoint: endpoint, serverName: configuration.serverName ?? endpoint.host, outcome: outcome,
    minimumDays: flags.integer("min-days"), needsHTTP2: !flags.bool("no-http2"), now: secondsSince1970())
  return invocation.finish(report)
}
