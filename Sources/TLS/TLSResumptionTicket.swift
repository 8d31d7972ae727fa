// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What a client needs to resume a session (RFC 8446 section 2.2, RFC 5077). Use it with the context that it came from,
/// and once unless it ``isReusable``.
@safe public final class TLSResumptionTicket: @unchecked Sendable {
  /// An `SSL_SESSION`, which is not changed any more.
  let handle: OpaquePointer
  /// Certificates are not looked at again when a session is resumed, so a ticket is good for the same demands alone.
  let context: TLSContext

  /// Takes the session over.
  init(_ session: OpaquePointer, of context: TLSContext) {
    unsafe handle = unsafe session
    self.context = context
  }

  /// Whether it is good for several connections. Under TLS 1.3 each connection brings new ones, and one that is used
  /// twice would tell whoever watches that two connections are one client's (RFC 8446 appendix C.4). Under TLS 1.2 a
  /// resumed connection brings none.
  public var isReusable: Bool { unsafe SSL_SESSION_get_protocol_version(handle) < TLS1_3_VERSION }

  deinit { unsafe SSL_SESSION_free(handle) }
}
