// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import HealthProbe
internal import Sys

/// `netdiag health HOST:PORT [SERVICE…]`.
let healthCommand = Netdiag.Command(
  "health", summary: "asks a gRPC server for its health, by the probe's own engine", operands: "HOST:PORT [SERVICE…]",
  groups: [
    FlagGroup(
      "The check",
      [
        Flag(
          "all", .bool, summary: "ask for every service that the server lists, or the server as a whole",
          hasEnvironment: false),
        Flag(
          "timeout", .duration, "DURATION", default: "5s", summary: "time for the connection, and for each call",
          hasEnvironment: false),
        Flag(
          "header", .list, "'NAME: VALUE'", summary: "metadata to send; may be given more than once",
          hasEnvironment: false),
      ]),
    TLSFlags.optional,
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  guard let target = flags.operands.first else { throw UsageError(line: "name one target, as HOST:PORT") }
  let endpoint = try Endpoint([target])
  for header in flags.list("header") where !header.utf8.contains(0x3A) {
    // What was written may be the value alone, and a secret.
    throw UsageError(line: "a header of \(header.utf8.count) bytes has no colon: write 'NAME: VALUE'")
  }
  let arguments = probeArguments(flags, endpoint, timeout: try invocation.timeout)
  let tls = try invocation.tlsOptions(host: endpoint.host)
  let waiter: Waiter?
  var failure: Fault?
  do throws(Fault) { waiter = try Waiter(for: endpoint.text) } catch { (waiter, failure) = (nil, error) }
  var check: HealthCheck?
  if let waiter {
    do throws(HealthCheck.Refusal) {
      check = try HealthCheck(
        arguments: arguments, tls: tls,
        authority: flags.isGiven("servername") ? flags.string("servername") : nil,
        environment: invocation.environment, waiter: waiter)
    } catch { throw UsageError(line: error.line) }
    failure = check?.fault
  }
  let report = HealthReport(endpoint: endpoint, check: check, failure: failure)
  return invocation.finish(report)
}

/// The probe's flags for the same check.
private func probeArguments(_ flags: FlagValues, _ endpoint: Endpoint, timeout: Int64) -> [String] {
  let services = Array(flags.operands.dropFirst())
  let timeout = "\(timeout)ns"
  var arguments = ["-addr=" + endpoint.address, "-connect-timeout=" + timeout, "-rpc-timeout=" + timeout]
  if flags.bool("all") { arguments.append("-all") }
  if services.count == 1 { arguments.append("-service=" + services[0]) }
  if services.count > 1 { arguments.append("-services=" + services.joined(separator: ",")) }
  for header in flags.list("header") { arguments.append("-rpc-header=" + header) }
  return arguments
}
