// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import HealthProbe
internal import Sys

/// A gRPC server, and how the flags of ``GRPCFlags`` ask for it.
struct GRPCTarget {
  /// How TLS is decided on.
  enum Security {
    /// Said by a flag.
    case plaintext, tls
    /// Found out by asking the port.
    case detected
  }

  /// Where it is.
  let target: Target
  /// The same, as it was written.
  let text: String
  let security: Security
  /// TLS, where it comes to that.
  private let tls: TLSOptions?
  /// The `:authority` of requests.
  let authority: String
  let userAgent: String
  /// Entries of the call itself.
  let metadata: Metadata
  /// Entries of questions for schemas.
  let reflectionMetadata: Metadata
  /// The largest message to take, in bytes.
  let receiveLimit: Int
  /// Time for a connection, in nanoseconds.
  private let connectTime: Int64
  private let proxies: ProxyRules
  /// What is told of the connection below the calls; nil for nothing.
  var log: TransportLog?

  init(_ invocation: Invocation, _ operand: String) throws(UsageError) {
    let flags = invocation.flags
    try Endpoint.refuseCredentials(operand.hasPrefix("unix:") || flags.bool("unix") ? "" : operand)
    do throws(TargetError) {
      let isPath = flags.bool("unix") && !operand.hasPrefix("unix:")
      target = try Target(isPath ? "unix:" + operand : operand)
    } catch { throw UsageError(line: "\(operand.quoted) is no target: \(error.cause); \(error.hint)") }
    text = operand.safeForDisplay
    guard !flags.bool("plaintext") || !flags.bool("tls") else {
      throw UsageError(line: "--plaintext and --tls exclude each other")
    }
    if flags.bool("plaintext"), let flag = TLSFlags.verified.flags.first(where: { flags.isGiven($0.name) }) {
      throw UsageError(line: "--\(flag.name) is of no use with --plaintext")
    }
    let isAsked = TLSFlags.verified.flags.contains { flags.isGiven($0.name) }
    security = flags.bool("plaintext") ? .plaintext : flags.bool("tls") || isAsked ? .tls : .detected
    let named = flags.string("authority")
    tls = security == .plaintext ? nil : try invocation.http2TLS(host: Self.host(of: named) ?? target.hostName)
    authority = !named.isEmpty ? named : flags.isGiven("servername") ? flags.string("servername") : target.authority
    let prefix = flags.string("user-agent")
    userAgent = (prefix.isEmpty ? "" : prefix + " ") + "sonde/" + sondeVersion
    metadata = try Self.metadata(flags, ["header", "rpc-header"])
    reflectionMetadata = try Self.metadata(flags, ["header", "reflect-header"])
    receiveLimit = flags.integer("max-msg-sz")
    connectTime = flags.duration("connect-timeout")
    guard connectTime > 0 else { throw UsageError(line: "--connect-timeout must be greater than zero") }
    proxies = ProxyRules(environment: invocation.environment)
  }

  /// The host of an authority; nil for none.
  private static func host(of authority: String) -> String? {
    guard !authority.isEmpty else { return nil }
    return (try? Target(authority))?.hostName ?? authority
  }

  private static func metadata(_ flags: FlagValues, _ names: [String]) throws(UsageError) -> Metadata {
    var metadata = Metadata()
    for name in names {
      for line in flags.list(name) {
        guard let entry = splitHeader(line) else {
          // What was written may be the value alone, and a secret.
          throw UsageError(line: "a --\(name) of \(line.utf8.count) bytes has no colon: write 'NAME: VALUE'")
        }
        let bytes = entry.name.hasSuffix("-bin") ? Base64.decode(entry.value.utf8) : []
        guard let bytes else {
          throw UsageError(line: "the value of \(entry.name.quoted) is not base64, as that of a -bin entry must be")
        }
        do throws(MetadataError) {
          if entry.name.hasSuffix("-bin") {
            try metadata.append(entry.name, bytes: bytes)
          } else {
            try metadata.append(entry.name, entry.value)
          }
        } catch { throw UsageError(line: error.message) }
      }
    }
    return metadata
  }
}

// MARK: - Connecting

/// A connection to a gRPC server.
struct GRPCConnection {
  let connection: Connection
  let target: GRPCTarget
  /// Whether it is encrypted.
  let isSecure: Bool

  /// What the server was found to speak; nil where a flag said it.
  var detection: String? {
    guard case .detected = target.security else { return nil }
    return "\(target.text) speaks \(isSecure ? "TLS" : "HTTP/2 in the clear"): "
      + "--\(isSecure ? "tls" : "plaintext") saves the question"
  }

  /// Another connection to the same server.
  func another(_ waiter: Waiter, until deadline: Deadline) throws(Problem) -> Connection {
    try target.connectAgain(isSecure: isSecure, waiter, until: deadline)
  }

  /// What begins a call.
  func request(_ path: String, metadata: Metadata, until deadline: Deadline) -> ClientRequest {
    ClientRequest(
      path: path, authority: target.authority, isSecure: isSecure, userAgent: target.userAgent,
      timeout: deadline == .never ? nil : deadline.remaining, acceptsGzip: true, metadata: metadata)
  }
}

extension GRPCTarget {
  /// How long a server that may speak TLS has to begin HTTP/2 in the clear, in nanoseconds.
  private static let openingTime: Int64 = 2_000_000_000

  /// Connects. Where no flag says whether with TLS, HTTP/2 is tried in the clear first: it tells nothing of the user's.
  func connect(_ waiter: Waiter, until deadline: Deadline) throws(Problem) -> GRPCConnection {
    let limit = Deadline(nanoseconds: connectTime).earlier(deadline)
    switch security {
    case .plaintext: return try dial(nil, waiter, until: limit)
    case .tls: return try dial(tls, waiter, until: limit)
    case .detected: break
    }
    let clear: Fault
    do throws(Fault) {
      let opening = Deadline(nanoseconds: Self.openingTime).earlier(limit)
      let connection = try Dialer(options(nil), waiter: waiter, log: log).attempt(until: opening)
      let found = GRPCConnection(connection: connection, target: self, isSecure: false)
      guard metadata.entries.isEmpty && reflectionMetadata.entries.isEmpty || connection.isLocal else {
        connection.close()
        throw Fault(.serverNotTLS, connection.peerName)
      }
      return found
    } catch { clear = error }
    switch clear.code {
    case .serverNotTLS:
      throw Problem(
        "TLS_TO_PLAINTEXT",
        "\(clear.subject) speaks no TLS, and metadata may be secret: with --plaintext, it is sent all the same")
    case .serverSpeaksTLS, .noSettings, .closedBeforeSettings, .serverSpeaksHTTP1, .serverNotHTTP2: break
    default: throw Problem(clear)
    }
    do throws(DialError) {
      let connection = try Dialer(options(tls), waiter: waiter, log: log).dial(until: limit)
      return GRPCConnection(connection: connection, target: self, isSecure: true)
    } catch {
      // A port that speaks no TLS either is best told by what it did in the clear.
      throw Problem(error.fault.code == .serverNotTLS || error.fault.code == .tlsClosed ? clear : error.fault)
    }
  }

  /// Connects once more to a server of which it is known whether it speaks TLS.
  fileprivate func connectAgain(isSecure: Bool, _ waiter: Waiter, until deadline: Deadline) throws(Problem)
    -> Connection
  {
    try dial(isSecure ? tls : nil, waiter, until: Deadline(nanoseconds: connectTime).earlier(deadline)).connection
  }

  private func dial(_ tls: TLSOptions?, _ waiter: Waiter, until limit: Deadline) throws(Problem) -> GRPCConnection {
    do throws(DialError) {
      let connection = try Dialer(options(tls), waiter: waiter, log: log).dial(until: limit)
      return GRPCConnection(connection: connection, target: self, isSecure: tls != nil)
    } catch { throw Problem(error.fault) }
  }

  private func options(_ tls: TLSOptions?) -> DialOptions {
    var options = DialOptions(target: target)
    options.proxies = proxies
    options.tls = tls
    options.userAgent = userAgent
    options.failsFast = true
    return options
  }
}
