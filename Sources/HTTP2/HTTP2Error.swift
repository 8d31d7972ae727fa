// SPDX-License-Identifier: Apache-2.0

/// Who made something happen.
public enum Initiator: Equatable, Sendable {
  /// The other end of the connection.
  case peer
  /// This end: the caller, or a rule that this end enforces.
  case local
  /// The library underneath, for a reason of its own such as memory.
  case library
}

/// Why a call was refused or a connection ended.
public struct HTTP2Error: Error, Equatable, Sendable {
  /// What kind of failure it is. More kinds may come; compare with the ones you know.
  public struct Code: Equatable, Hashable, Sendable {
    /// A short stable name, such as `protocolViolation`.
    public let name: String

    init(_ name: String) { self.name = name }

    /// The peer's first bytes are not HTTP/2's: ``HTTP2Error/firstBytes`` holds what it said instead.
    public static let notHTTP2 = Code("notHTTP2")
    /// The peer broke a rule of HTTP/2 in a way that ends the connection.
    public static let protocolViolation = Code("protocolViolation")
    /// The peer went beyond one of ``HTTP2Limits``.
    public static let limitExceeded = Code("limitExceeded")
    /// The peer closed its side although the session still waited for it.
    public static let endOfInput = Code("endOfInput")
    /// The stream of the call does not exist any more, or never did.
    public static let streamClosed = Code("streamClosed")
    /// The call does not fit the stream's state: data after its end, a second response.
    public static let invalidState = Code("invalidState")
    /// The call's arguments make no sense.
    public static let invalidArgument = Code("invalidArgument")
    /// No request can be started any more: the connection is shutting down or out of stream identifiers.
    public static let closing = Code("closing")
    /// Memory ran out.
    public static let outOfMemory = Code("outOfMemory")
    /// The library failed in a way that it should not.
    public static let internalFailure = Code("internalFailure")
  }

  /// What kind of failure it is.
  public let code: Code

  /// Who is to blame.
  public let initiator: Initiator

  /// The code that the GOAWAY to the peer carries; nil where no GOAWAY follows.
  public let wireCode: HTTP2ErrorCode?

  /// The error number of the library underneath, 0 where it gave none.
  public let libraryNumber: Int32

  /// A short English text without a full stop, safe to print: nothing in it comes from the peer.
  public let message: String

  /// The first bytes that came from the peer, at most ``HTTP2Limits/maxFirstBytes``, where the code is
  /// ``Code/notHTTP2``; otherwise empty.
  public let firstBytes: [UInt8]

  init(
    _ code: Code, by initiator: Initiator, wire: HTTP2ErrorCode? = nil, number: Int32 = 0, _ message: String,
    firstBytes: [UInt8] = []
  ) {
    self.code = code
    self.initiator = initiator
    self.wireCode = wire
    self.libraryNumber = number
    self.message = message
    self.firstBytes = firstBytes
  }

  static let rapidReset = "too many streams that the peer opened and reset"
}
