// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import Logging
public import NIOCore
public import NIOTransport
public import TLS

/// How a client works; the defaults suit a service that calls others of its kind.
public struct ClientConfiguration: Sendable {
  /// How bytes are protected.
  public var security = ClientSecurity.plaintext
  /// The name that requests call the server by (`:authority`); nil takes it from the target.
  public var authority: String?
  /// The client's own name, the `user-agent` of its requests.
  public var userAgent = "grpc-swift-sonde"
  /// What is known of the methods before they are called: timeouts, retries, balancing.
  public var serviceConfig = ServiceConfig()
  /// What the client takes upon itself.
  public var limits = ClientLimits()
  /// How connections are made.
  public var connecting = ConnectPolicy()
  /// How connections are kept alive.
  public var keepalive = ClientKeepalive()
  /// How often names are looked up.
  public var resolving = ResolvePolicy()
  /// Without a call for so long, connections are closed; the next call makes new ones. Nil keeps them.
  public var idleTime: TimeAmount? = .minutes(30)
  /// How request messages are compressed, unless a call says otherwise.
  public var compressesRequests = false
  /// Whether the server is told that answers may come compressed.
  public var acceptsCompression = true
  /// The least size of a message worth compressing, in bytes.
  public var compressionThreshold = 1_024
  /// Event loops that the client's connections live on. Each has connections of its own to every address, and a call
  /// that is made on one of these loops stays on it: nothing is shared between them, and nothing locked.
  public var eventLoops = 1
  /// Where the client says what happens to its connections; calls are an interceptor's to log.
  public var logger = Logger(label: "grpc.client", factory: { _ in SwiftLogNoOpLogHandler() })

  /// The configuration with its defaults.
  public init() {}
}

/// How a client's bytes are protected.
public enum ClientSecurity: Sendable {
  /// Not at all: for loopback, and where a proxy does it.
  case plaintext
  /// By TLS. Where the configuration names no server, the target's host is verified; `h2` is the protocol offered.
  case tls(TLSClientConfiguration)
  /// By TLS, from the source's context at the time of each connection, so that certificates can be replaced. The
  /// context's configuration must offer `h2` by ALPN and name the server.
  case tlsSource(TLSContextSource)
}

/// What a client takes upon itself, and no more.
///
/// Memory that one connection can claim, beside its calls' own: ``connectionWindow`` for responses that nobody has
/// read. A call claims ``sendBuffer`` and one message for what waits to be sent, ``retryBuffer`` or one message for
/// what may have to be sent again, and a partly received message.
public struct ClientLimits: Sendable {
  /// The largest response message in bytes, before and after decompression. A larger one: RESOURCE_EXHAUSTED.
  public var receivedMessageSize = 4 << 20
  /// The largest request message in bytes. A larger one: RESOURCE_EXHAUSTED.
  public var sentMessageSize = Int(Int32.max)
  /// The largest header section in bytes, as HTTP/2 counts them. A larger one ends its call.
  public var headerListSize = 64 << 10
  /// Bytes of responses that a server may send on a stream before they are read.
  public var streamWindow: UInt32 = 512 << 10
  /// Bytes of responses that a server may send on all streams together before they are read.
  public var connectionWindow: Int32 = 4 << 20
  /// Bytes that may wait on a stream before a writing caller has to wait.
  public var sendBuffer = 64 << 10
  /// Bytes of a call's requests that are kept to be sent again. A call that has written more is not tried again; its
  /// first message is always kept, whatever its size.
  public var retryBuffer = 256 << 10
  /// Calls on one event loop that may wait for a connection, or for a connection's stream. More: RESOURCE_EXHAUSTED.
  public var waitingCalls = 10_000

  /// The limits with their defaults.
  public init() {}
}

/// How connections are made, and how long a failed address is left alone.
public struct ConnectPolicy: Sendable {
  /// The time that a connection may take until calls can use it: TCP, TLS, and the server's first SETTINGS.
  public var timeout = TimeAmount.seconds(20)
  /// How long an address is left alone after failures.
  public var backoff = Backoff()
  /// How long a policy that looks for one server waits for an address before it tries the next one beside it: the
  /// 250 ms that RFC 8305 section 5 recommends. One that fails earlier is not waited for.
  public var attemptDelay = TimeAmount.milliseconds(250)

  /// The policy with its defaults.
  public init() {}
}

/// How connections are kept alive, for paths that forget silent ones and peers that vanish without a word.
public struct ClientKeepalive: Sendable {
  /// A connection that has been silent for so long is asked for a sign of life; nil never asks. Servers may refuse less
  /// than five minutes: one that answers `too_many_pings` is asked half as often from then on.
  public var time: TimeAmount?
  /// How long that sign may take before the connection counts as lost.
  public var timeout = TimeAmount.seconds(20)
  /// Whether a connection without a call is asked too.
  public var permitsWithoutCalls = false

  /// The policy with its defaults.
  public init() {}
}

/// How often names are looked up.
public struct ResolvePolicy: Sendable {
  /// A name is looked up again after so long, a fifth more or less, so that new servers are found; nil does so only
  /// when a connection fails.
  public var interval: TimeAmount? = .seconds(30)
  /// The least time between two look-ups that failing connections ask for.
  public var minInterval = TimeAmount.seconds(5)
  /// How long to wait after look-ups that gave nothing, while there is no address at all.
  public var backoff = Backoff()

  /// The policy with its defaults.
  public init() {}
}
