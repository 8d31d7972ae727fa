// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import Sys

/// `netdiag tcp HOST:PORT`.
let tcpCommand = Netdiag.Command(
  "tcp", summary: "connects to every address of a host and tells what came of each", operands: "HOST:PORT",
  groups: [
    FlagGroup(
      "The attempts",
      [
        Flag(
          "timeout", .duration, "DURATION", default: "4s", summary: "time for the name, and for each attempt",
          details: "A dead address on an own network shows after 3.1 seconds only.", hasEnvironment: false),
        Flag(
          "count", .integer(1...10_000), "N", default: "1", summary: "how often to connect to each address",
          hasEnvironment: false),
        Flag(
          "interval", .duration, "DURATION", default: "200ms", summary: "time between two attempts",
          hasEnvironment: false),
        Flag(
          "traceroute", .bool, summary: "tell the routers on the way to each address",
          details: "No privilege is needed.", hasEnvironment: false),
      ])
  ]
) { (invocation) throws(UsageError) in
  let endpoint = try Endpoint(invocation.flags.operands)
  let timeout = try invocation.timeout
  let report = TCPReport(endpoint, invocation, TCPProbe(timeout: timeout))
  return invocation.finish(report)
}

extension TCPReport {
  /// Connects as often as the flags say and reports on it.
  fileprivate init(_ endpoint: Endpoint, _ invocation: Invocation, _ probe: TCPProbe) {
    self.endpoint = endpoint
    let found: [SocketAddress]
    do throws(NameFailure) {
      found = try endpoint.addresses(until: Deadline(nanoseconds: probe.timeout))
      nameFailure = nil
    } catch {
      found = []
      nameFailure = error
    }
    var attempts: [[TCPAttempt]] = found.map { _ in [] }
    let count = found.isEmpty ? 0 : invocation.flags.integer("count")
    for round in 0..<count {
      let next = Deadline(nanoseconds: invocation.flags.duration("interval"))
      for (index, attempt) in probe.connect(to: found).enumerated() { attempts[index].append(attempt) }
      if round + 1 < count {
        var pause = Poll()
        _ = try? pause.wait(until: next)
      }
    }
    let traces = invocation.flags.bool("traceroute") ? found.map { probe.trace($0) } : found.map { _ in [] }
    addresses = found.indices.map { Address(address: found[$0], attempts: attempts[$0], hops: traces[$0]) }
  }
}
