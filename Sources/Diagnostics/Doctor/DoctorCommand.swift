// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import Sys
internal import TLS

/// What `netdiag doctor` is asked to do.
struct DoctorOptions {
  /// How the server is spoken to.
  enum Security {
    /// As it turns out to want it.
    case detected
    case plaintext
    case tls
  }

  var expectation = Expectation.grpc
  var security = Security.detected
  /// Time for everything, in nanoseconds.
  var timeout: Int64 = 10_000_000_000
  /// How often to connect to each address, and to ask each service.
  var count = 1
  /// How many days the certificate must still be valid.
  var minimumDays = 14
  /// The services whose health is asked for.
  var services = [""]
  /// The name that TLS asks for and looks for in the certificate.
  var serverName: String
  /// TLS as the flags ask for it.
  var tls: TLSClientConfiguration
}

/// `netdiag doctor HOST:PORT`.
let doctorCommand = Netdiag.Command(
  "doctor", summary: "looks at all that lies between here and a server, and ends in one diagnosis",
  operands: "HOST:PORT",
  groups: [
    FlagGroup(
      "The examination",
      [
        Flag(
          "expect", .string, "WHAT", default: "grpc", summary: "what the target should be: tcp, tls, http2 or grpc",
          details: "Each has what those before it have; HTTP/2 and gRPC do without TLS.", hasEnvironment: false),
        Flag("timeout", .duration, "DURATION", default: "10s", summary: "time for everything", hasEnvironment: false),
        Flag(
          "count", .integer(1...1_000), "N", default: "1",
          summary: "how often to connect to each address and to ask for each service", hasEnvironment: false),
        Flag(
          "service", .list, "NAME", summary: "service to ask for; may be given more than once",
          details: "The server as a whole where none is given.", hasEnvironment: false),
      ]),
    FlagGroup(
      "TLS",
      [
        Flag("tls", .bool, summary: "clients use TLS: a server without it is a fault", hasEnvironment: false),
        Flag(
          "plaintext", .bool, summary: "clients use no TLS: a server that wants it is a fault",
          details: "Without --tls and --plaintext, the server is spoken to as it wants it.", hasEnvironment: false),
        Flag(
          "min-days", .integer(0...36_500), "DAYS", default: "14",
          summary: "how many days the certificate must still be valid", hasEnvironment: false),
      ] + TLSFlags.names),
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let endpoint = try Endpoint(flags.operands)
  let options = try DoctorOptions(invocation, endpoint)
  let waiter: Waiter
  do throws(Fault) { waiter = try Waiter() } catch {
    throw UsageError(line: "signals cannot be handled: \(error.detail)")
  }
  let doctor = Doctor(endpoint, options, environment: invocation.environment, waiter: waiter)
  return invocation.finish(doctor.run())
}

extension DoctorOptions {
  fileprivate init(_ invocation: Invocation, _ endpoint: Endpoint) throws(UsageError) {
    let flags = invocation.flags
    tls = try TLSClientConfiguration(invocation, host: endpoint.host, alpn: ["h2", "http/1.1"])
    serverName = tls.serverName ?? endpoint.host
    guard let expectation = Expectation(rawValue: flags.string("expect")) else {
      throw UsageError(line: "--expect takes tcp, tls, http2 or grpc, not \(flags.string("expect").quoted)")
    }
    guard !flags.bool("tls") || !flags.bool("plaintext") else {
      throw UsageError(line: "--tls and --plaintext exclude each other")
    }
    guard expectation != .tls || !flags.bool("plaintext") else {
      throw UsageError(line: "--expect=tls and --plaintext exclude each other")
    }
    self.expectation = expectation
    security = flags.bool("tls") || expectation == .tls ? .tls : flags.bool("plaintext") ? .plaintext : .detected
    timeout = try invocation.timeout
    count = flags.integer("count")
    minimumDays = flags.integer("min-days")
    if flags.isGiven("service") { services = flags.list("service") }
  }
}
