// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import Sys

/// `netdiag balance HOST:PORT`.
let balanceCommand = Netdiag.Command(
  "balance", summary: "tells how connections, and with --calls how calls, are spread over the servers behind a target",
  operands: "HOST:PORT",
  groups: [
    FlagGroup(
      "The calls",
      [
        Flag(
          "calls", .integer(0...10_000), "N", default: "0",
          summary: "make N calls on one connection, and one on each of N connections",
          details: "Without it nothing is sent: the connections that are there are counted.", hasEnvironment: false),
        Flag(
          "by", .string, "NAME", default: "x-served-by", summary: "metadata of answers that tells who gave them",
          hasEnvironment: false),
        Flag(
          "timeout", .duration, "DURATION", default: "10s", summary: "time for everything", hasEnvironment: false),
      ]),
    TLSFlags.optional,
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let endpoint = try Endpoint(flags.operands)
  let timeout = try invocation.timeout
  let header = flags.string("by").asciiLowercased
  guard !header.isEmpty, header.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }) else {
    throw UsageError(line: "\(flags.string("by").quoted) is no name of metadata")
  }
  let tls = try invocation.tlsOptions(host: endpoint.host)
  let deadline = Deadline(nanoseconds: timeout)
  let addresses: [SocketAddress]
  do throws(NameFailure) { addresses = try endpoint.addresses(until: deadline) } catch {
    return invocation.finish(BalanceReport(endpoint: endpoint, nameFailure: error))
  }
  var report = BalanceReport(
    endpoint: endpoint, addresses: addresses, connections: PeerCounts(to: addresses, port: endpoint.port))
  if flags.integer("calls") > 0 {
    do throws(Fault) {
      // As clients do, those that take no connections are passed over, unless none takes any.
      let tried = TCPProbe(timeout: deadline.remaining / 2, settlingTime: 0).connect(to: addresses)
      let open = tried.filter { $0.outcome == .open }.map { $0.address }
      let probe = BalanceProbe(
        endpoint: endpoint, addresses: open.isEmpty ? addresses : open, tls: tls, header: header,
        waiter: try Waiter(for: endpoint.text),
        deadline: deadline)
      report.calls = probe.run(flags.integer("calls"))
    } catch { report.failure = error }
  }
  return invocation.finish(report)
}
