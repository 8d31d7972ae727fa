// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
internal import GRPC
internal import GRPCServer
internal import NIOCore

/// The flags of every service: where it listens, how it is protected, what it takes upon itself, how it ends.
public struct ServerOptions: ParsableArguments, Sendable {
  // MARK: Where

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Listen here; may be repeated. unix:PATH is a Unix socket.", valueName: "address"))
  var listen: [AddressArgument] = [AddressArgument(.tcp(host: "127.0.0.1", port: 50_051))]

  @Option(help: ArgumentHelp("Serve /metrics, /healthz and /readyz here; 'off' for nowhere.", valueName: "address"))
  var admin = "127.0.0.1:9090"

  @Option(help: ArgumentHelp("The name that answers carry in x-served-by; the host's unless set.", valueName: "name"))
  var instance: String?

  // MARK: Protection

  @Flag(help: "Speak plaintext on addresses that others can reach.")
  var plaintext = false

  @Option(help: ArgumentHelp("The certificate chain in PEM; read again when it changes.", valueName: "file"))
  var tlsCert: String?

  @Option(help: ArgumentHelp("The private key in PEM.", valueName: "file"))
  var tlsKey: String?

  @Option(help: ArgumentHelp("Demand client certificates of these authorities, in PEM.", valueName: "file"))
  var tlsClientCa: String?

  @Option(
    help: ArgumentHelp(
      "Demand 'authorization: Bearer TOKEN' of a line of this file, except for health; read again when it changes.",
      valueName: "file"))
  var authTokenFile: String?

  @Flag(inversion: .prefixedNo, help: "Answer grpc.reflection.v1 and v1alpha.")
  var reflection = true

  // MARK: Limits

  @Option(help: ArgumentHelp("The largest request message.", valueName: "size"))
  var maxMessageSize = SizeArgument(4 << 20)

  @Option(help: ArgumentHelp("The largest response message.", valueName: "size"))
  var maxSendMessageSize = SizeArgument(4 << 20)

  @Option(help: ArgumentHelp("The largest header section.", valueName: "size"))
  var maxHeaderListSize = SizeArgument(16 << 10)

  @Option(help: ArgumentHelp("Streams that a client may have open on a connection.", valueName: "count"))
  var maxConcurrentStreams: UInt32 = 1_000

  @Option(help: ArgumentHelp("Connections at once.", valueName: "count"))
  var maxConnections = 10_000

  @Option(help: ArgumentHelp("Calls at once; more are answered RESOURCE_EXHAUSTED.", valueName: "count"))
  var maxCalls = 10_000

  @Option(help: ArgumentHelp("Streams that a client may reset a second.", valueName: "count"))
  var maxResetsPerSecond: UInt64 = 500

  @Option(help: ArgumentHelp("The longest time of a call, also without a deadline; 0s for any.", valueName: "time"))
  var maxCallTime = TimeArgument(.zero)

  @Option(help: ArgumentHelp("How long TLS and HTTP/2 may take to start.", valueName: "time"))
  var handshakeTimeout = TimeArgument(.seconds(10))

  @Option(help: ArgumentHelp("How long a client may leave its answers unread.", valueName: "time"))
  var stallTimeout = TimeArgument(.seconds(60))

  // MARK: Connections

  @Option(help: ArgumentHelp("Ask connections of about this age to close; 0s never.", valueName: "time"))
  var maxConnectionAge = TimeArgument(.zero)

  @Option(help: ArgumentHelp("How long the calls of such a connection may go on; 0s for any time.", valueName: "time"))
  var maxConnectionAgeGrace = TimeArgument(.zero)

  @Option(help: ArgumentHelp("Close connections without a call for so long; 0s never.", valueName: "time"))
  var maxConnectionIdle = TimeArgument(.zero)

  @Option(help: ArgumentHelp("Ask silent clients for a sign of life after so long.", valueName: "time"))
  var keepaliveTime = TimeArgument(.hours(2))

  @Option(help: ArgumentHelp("How long that sign may take.", valueName: "time"))
  var keepaliveTimeout = TimeArgument(.seconds(20))

  @Option(help: ArgumentHelp("The least time between a client's PINGs.", valueName: "time"))
  var keepaliveMinInterval = TimeArgument(.seconds(5))

  // MARK: Work

  @Option(help: ArgumentHelp("Event loops; one a core unless set.", valueName: "count"))
  var threads: Int?

  @Option(help: ArgumentHelp("Compress answers for clients that understand it: none or gzip.", valueName: "form"))
  var compression = CompressionChoice.none

  // MARK: The end

  @Option(help: ArgumentHelp("Go on serving so long after saying NOT_SERVING.", valueName: "time"))
  var lameDuck = TimeArgument(.zero)

  @Option(help: ArgumentHelp("How long running calls may take at the end.", valueName: "time"))
  var shutdownGrace = TimeArgument(.seconds(30))

  // MARK: What operators see

  @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
  var logLevel: String?

  @Option(help: ArgumentHelp("text or json.", valueName: "form"))
  var logFormat = LogFormChoice.text

  @Option(
    help: ArgumentHelp(
      "Export spans by OTLP over gRPC to this host:port, in plaintext; none unless set.", valueName: "address"))
  var otlpEndpoint: String?

  @Option(help: ArgumentHelp("The share of new traces that are recorded, 0 to 1.", valueName: "ratio"))
  var traceRatio = 1.0

  /// The options with their defaults.
  public init() {}

  /// Refuses what cannot work.
  public func validate() throws {
    guard (tlsCert == nil) == (tlsKey == nil) else { throw ValidationError("--tls-cert and --tls-key go together") }
    if tlsClientCa != nil, tlsCert == nil { throw ValidationError("--tls-client-ca needs --tls-cert and --tls-key") }
    if plaintext, tlsCert != nil { throw ValidationError("--plaintext and --tls-cert exclude each other") }
    if tlsCert == nil, !plaintext, let open = listen.first(where: { !$0.isLocal }) {
      throw ValidationError(
        "others can reach \(open): give --tls-cert and --tls-key, or --plaintext where a proxy or mesh encrypts")
    }
    guard 0...1 ~= traceRatio else { throw ValidationError("--trace-ratio is a number from 0 to 1") }
    for (name, count) in [("--max-connections", maxConnections), ("--max-calls", maxCalls)] where count < 1 {
      throw ValidationError("\(name) is at least 1")
    }
    if let threads, !(1...1_024 ~= threads) { throw ValidationError("--threads is 1 to 1024") }
  }

  /// The flags that the environment can set: all of them.
  public static let environmentFlags: [EnvironmentFlag] =
    [EnvironmentFlag("listen", .list)]
    + [EnvironmentFlag("plaintext", .onOff), EnvironmentFlag("reflection", .offOn)]
    + [
      "admin", "instance", "tls-cert", "tls-key", "tls-client-ca", "auth-token-file", "max-message-size",
      "max-send-message-size", "max-header-list-size", "max-concurrent-streams", "max-connections", "max-calls",
      "max-resets-per-second", "max-call-time", "handshake-timeout", "stall-timeout", "max-connection-age",
      "max-connection-age-grace", "max-connection-idle", "keepalive-time", "keepalive-timeout",
      "keepalive-min-interval", "threads", "compression", "lame-duck", "shutdown-grace", "log-level", "log-format",
      "otlp-endpoint", "trace-ratio",
    ].map { EnvironmentFlag($0) }
}

/// How answers are compressed.
public enum CompressionChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// Not at all.
  case none
  /// With gzip.
  case gzip
}

/// The form of the log's lines.
public enum LogFormChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// One line of text.
  case text
  /// One JSON object.
  case json
}

extension ServerOptions {
  /// The server's configuration; TLS, logger and the answers' metadata are the host's to add.
  var server: ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.eventLoops = threads
    configuration.compressesResponses = compression == .gzip
    configuration.limits.receivedMessageSize = maxMessageSize.bytes
    configuration.limits.sentMessageSize = maxSendMessageSize.bytes
    configuration.limits.headerListSize = maxHeaderListSize.bytes
    configuration.limits.concurrentStreams = maxConcurrentStreams
    configuration.limits.connections = maxConnections
    configuration.limits.callsInFlight = maxCalls
    configuration.limits.streamResetRate = maxResetsPerSecond
    configuration.limits.callTime = maxCallTime.limit
    configuration.limits.handshakeTime = handshakeTimeout.amount
    configuration.limits.stallTime = stallTimeout.amount
    configuration.connections.maxAge = maxConnectionAge.limit
    configuration.connections.maxAgeGrace = maxConnectionAgeGrace.limit
    configuration.connections.maxIdle = maxConnectionIdle.limit
    configuration.connections.keepaliveTime = keepaliveTime.amount
    configuration.connections.keepaliveTimeout = keepaliveTimeout.amount
    configuration.connections.minPingInterval = keepaliveMinInterval.amount
    return configuration
  }
}

extension TimeArgument {
  /// The time as a limit; none where it is zero.
  fileprivate var limit: TimeAmount? { amount == .zero ? nil : amount }
}
