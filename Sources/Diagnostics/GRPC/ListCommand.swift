// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import JSON
internal import Protobuf
internal import Sys

/// `netdiag grpc list [HOST:PORT] [SERVICE]`.
let grpcListCommand = Netdiag.Command(
  "grpc list", summary: "lists the services of a gRPC server, or the methods of one", operands: "[HOST:PORT] [SERVICE]",
  groups: [GRPCFlags.schemas, GRPCFlags.connection, GRPCFlags.time, GRPCFlags.metadata], completesOperands: true
) { (invocation) throws(UsageError) in
  let context = try GRPCContext(invocation)
  guard context.names.count <= 1 else { throw UsageError(line: "name one service, or none") }
  let waiter = try invocation.waiter(for: context.target)
  var report = ListReport(target: context.target?.text, service: context.names.first)
  do throws(Problem) {
    try context.withSchemas(waiter) { (schemas, connection) throws(Problem) in
      report.detection = connection?.detection
      report.names = try schemas.names(in: context.names.first)
    }
  } catch { report.problem = error }
  if !invocation.flags.bool("json") {
    StandardStream.output.write(report.names.map { $0.safeForDisplay + "\n" }.joined())
  }
  return invocation.finish(report, to: .error)
}

extension GRPCSchemas {
  /// The services; or the methods of one, by their full names.
  fileprivate func names(in service: String?) throws(Problem) -> [String] {
    guard let service else { return try services() }
    guard let found = try pool(declaring: [service]).service(named: service) else { throw unknown(service) }
    return found.methods.map { $0.fullName }
  }
}

/// What `netdiag grpc list` has found.
struct ListReport: GRPCReport {
  static let command = "grpc list"

  /// The server; nil where schemas came from files.
  var target: String?
  /// The service whose methods are listed; nil where services are.
  var service: String?
  var names: [String] = []
  var detection: String?
  var problem: Problem?

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", target)
    json.member("service", service?.safeForDisplay)
    json.member("names", names.map { $0.safeForDisplay })
  }
}
