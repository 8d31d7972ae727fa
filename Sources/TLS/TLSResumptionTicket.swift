// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What a client needs to resume a session (RFC 8446 section 2.2, RFC 5077). Use it once, with the context that it came
/// from.
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

  deinit { unsafe SSL_SESSION_free(handle) }
}
