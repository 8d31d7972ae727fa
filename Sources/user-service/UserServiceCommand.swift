// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import NIOCore
import Schemas
import ServiceKit
import Sys
import UserServer
import UserStore

/// The reference service as a program.
@main
struct UserServiceCommand: ServiceCommand {
  static let configuration = CommandConfiguration(
    commandName: "user-service",
    abstract: "Serve user.v1.UserService and pb.Greeter over gRPC.",
    discussion: """
      Users live in a SQLite file, which several instances may share. Health is served as grpc.health.v1, the schema \
      by reflection. SIGTERM and SIGINT end the program once the running calls have ended; a second one ends it at once.

      For a trial: user-service --database :memory:

      \(environmentHelp)
      """,
    version: sondeVersion)

  static let environmentFlags =
    ServerOptions.environmentFlags
    + ["database", "database-readers", "database-lock-timeout", "event-retention"].map { EnvironmentFlag($0) }

  @Option(
    help: ArgumentHelp(
      "Keep the users in this file, which is made where it is missing; ':memory:' keeps them until the end.",
      valueName: "file"))
  var database: String

  @Option(help: ArgumentHelp("Threads that read the database; one more writes.", valueName: "count"))
  var databaseReaders = 2

  @Option(
    help: ArgumentHelp("How long a write waits for another process that writes to the file.", valueName: "time"))
  var databaseLockTimeout = TimeArgument(.seconds(5))

  @Option(help: ArgumentHelp("How long events are kept for watchers that come back.", valueName: "time"))
  var eventRetention = TimeArgument(.hours(24))

  @OptionGroup var server: ServerOptions

  static func main() async { await runAsProgram() }

  func validate() throws {
    guard !database.isEmpty else { throw ValidationError("--database names no file") }
    guard 1...64 ~= databaseReaders else { throw ValidationError("--database-readers is 1 to 64") }
  }

  func run() async throws {
    try await ServiceHost.run(
      name: UserErrors.domain, version: sondeVersion, options: server, descriptors: DescriptorSet.bytes
    ) { environment in
      var configuration = UserServer.Configuration(database: DatabasePool.Configuration(path: database))
      configuration.database.readers = databaseReaders
      configuration.database.busyTimeout = Int32(clamping: databaseLockTimeout.amount.nanoseconds / 1_000_000)
      configuration.eventRetention = .nanoseconds(eventRetention.amount.nanoseconds)
      configuration.logger = environment.logger
      configuration.metrics = environment.metrics
      let server: UserServer
      do throws(StoreError) { server = try UserServer(configuration) } catch {
        throw ConfigurationError("--database \(database): \(error.reason)")
      }
      return HostedService(
        services: server.services, errors: UserErrors.describe, unreadiness: server.problem, work: server.run,
        close: server.close)
    }
  }
}

extension StoreError {
  /// Why the file cannot be used.
  fileprivate var reason: String {
    switch self {
    case .unavailable(let reason), .internalFailure(let reason): reason
    case .storageFull: "the disk is full"
    default: "\(self)"
    }
  }
}
