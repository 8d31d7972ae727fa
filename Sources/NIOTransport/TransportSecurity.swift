// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import TLS

/// How a connection's bytes are protected.
public enum TransportSecurity: Sendable {
  /// Not at all: for loopback, and behind a proxy that does it.
  case plaintext
  /// By TLS, from the source's context at the time of each connection.
  case tls(TLSContextSource)
}

/// A TLS context that can be replaced while connections come: they take the one of their moment and keep it.
public final class TLSContextSource: Sendable {
  private let current: Mutex<TLSContext>

  /// A source that gives this context until it is replaced.
  public init(_ context: TLSContext) { current = Mutex(context) }

  /// The context for the next connection.
  public var context: TLSContext {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
