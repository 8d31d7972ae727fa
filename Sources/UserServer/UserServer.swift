// SPDX-License-Identifier: Apache-2.0

// UserServer: what answers the calls of user.v1.UserService and pb.Greeter, over the users in a database file.

public import GRPCServer
public import Logging
internal import NIOTransport
internal import ServiceMethods
public import Telemetry
public import UserStore

/// The reference service: users that are kept, watched and talk to each other.
///
/// ```
///              calls                         calls that listen
///                │                                   ▲
///                ▼                                   │
///   DatabasePool: users, outbox ──tail, one task──► EventFeed
///                ▲
///      other replicas on the same file
/// ```
public final class UserServer: Sendable {
  /// What a server works with.
  public struct Configuration: Sendable {
    /// The database, and its threads.
    public var database: DatabasePool.Configuration
    /// How long events are kept for watchers that come back.
    public var eventRetention = Duration.seconds(24 * 3_600)
    /// Where it says what happens to it.
    public var logger = Logger(label: "user-service", factory: { _ in SwiftLogNoOpLogHandler() })
    /// Where it shows how busy the database is; nil for nowhere.
    public var metrics: MetricsRegistry?

    /// A server on a database.
    public init(database: DatabasePool.Configuration) { self.database = database }
  }

  /// The services that it answers, to be served by one server.
  public let services: [Service]

  private let pool: DatabasePool
  private let tail: OutboxTail
  private let pruner: OutboxPruner

  /// Opens the database, which blocks for a moment, and serves nothing yet.
  ///
  /// - Throws: what ``DatabasePool/init(_:)`` throws.
  public init(_ configuration: Configuration) throws(StoreError) {
    let bell = Doorbell()
    var database = configuration.database
    let didCommit = database.didCommit
    database.didCommit = {
      didCommit()
      bell.ring()
    }
    database.callerThread = { LoopExecutor.current }
    let pool = try DatabasePool(database)
    let feed = EventFeed()
    self.pool = pool
    if let metrics = configuration.metrics { DatabaseMetrics.register(pool, in: metrics) }
    tail = OutboxTail(pool: pool, feed: feed, bell: bell, logger: configuration.logger)
    pruner = OutboxPruner(pool: pool, retention: configuration.eventRetention, logger: configuration.logger)
    services = [
      Service(
        UserService.service,
        UserHandlers(pool: pool).all + [
          UserExport(pool: pool).handler,
          UserWatch(pool: pool, feed: feed).handler,
          BulkCreation.handler(pool),
          ChatHandler(pool: pool, feed: feed).handler,
        ]),
      GreeterHandlers.service,
    ]
  }

  /// Does what goes on beside the calls, until it is cancelled: tells listeners what happened, and forgets old events.
  /// To be called once.
  public func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.tail.run() }
      group.addTask { await self.pruner.run() }
    }
  }

  /// Why the server should not be sent calls now, in one line for logs; nil where it can do its work.
  ///
  /// A full disk is no such reason: users can still be read, and whoever writes is told.
  public func problem() async -> String? {
    let health = await pool.checkHealth()
    return [health.readFailure, health.writeFailure].lazy.compactMap { $0?.outage }.first
  }

  /// Finishes what the database was asked to do and closes it; every call from then on fails. To be called after the
  /// last one.
  public func close() async { await pool.shutdown() }
}

extension StoreError {
  /// Why the database is of no use, where it is not.
  fileprivate var outage: String? {
    switch self {
    case .unavailable(let reason), .internalFailure(let reason): "the database: " + reason
    default: nil
    }
  }
}
