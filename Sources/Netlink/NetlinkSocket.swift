// SPDX-License-Identifier: Apache-2.0

internal import Bytes
import CMnl

/// Why the kernel did not answer a question.
public struct NetlinkError: Error, Equatable, Sendable {
  /// What was tried: `socket`, `send`, `receive`, `dump`, `request`.
  public let operation: String
  /// The kernel's error number.
  public let errno: Int32
  /// The kernel's own words, where it has some for this question.
  public let message: String?

  /// An error with a number.
  public init(_ operation: String, errno: Int32, message: String? = nil) {
    self.operation = operation
    self.errno = errno
    self.message = message
  }

  init(_ operation: String) { self.init(operation, errno: sonde_mnl_errno()) }

  /// Whether the answer was cut short, or changed while it was given.
  public var isInterrupted: Bool { errno == EINTR }
}

/// A conversation with the kernel.
///
/// Nobody needs a privilege for any of the questions that are asked here.
@safe public struct NetlinkSocket: ~Copyable {
  /// Whom to ask.
  public enum Family: Sendable {
    /// About sockets.
    case socketDiagnostics
    /// About interfaces, addresses, routes and neighbours.
    case route
  }

  private let socket: OpaquePointer
  private let portID: UInt32
  private var sequence: UInt32 = 0
  private var buffer: [UInt8]

  /// The kernel packs no more into an answer.
  private static let bufferSize = 32 << 10
  /// How often a dump is asked for again that changed while it was given.
  public static let attempts = 3

  /// Opens a conversation. Throws where the kernel has no such family, or forbids it.
  public init(_ family: Family) throws(NetlinkError) {
    let number = family == .route ? NETLINK_ROUTE : NETLINK_SOCK_DIAG
    guard let socket = unsafe mnl_socket_open2(number, Int32(SOCK_CLOEXEC.rawValue)) else {
      throw NetlinkError("socket")
    }
    // An answer is there when the question was sent; whatever happens, nobody waits for ever.
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    let length = socklen_t(MemoryLayout<timeval>.size)
    let isLimited = unsafe setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &limit, length) == 0
    guard isLimited, unsafe mnl_socket_bind(socket, 0, 0) == 0 else {
      let error = NetlinkError("socket")
      unsafe mnl_socket_close(socket)
      throw error
    }
    // What an older kernel does not know of these, it does without: it checks questions less, and says less of errors.
    for option in [NETLINK_GET_STRICT_CHK, NETLINK_EXT_ACK] {
      var isOn: Int32 = 1
      _ = unsafe mnl_socket_setsockopt(socket, Int32(option), &isOn, socklen_t(MemoryLayout<Int32>.size))
    }
    unsafe portID = mnl_socket_get_portid(socket)
    buffer = [UInt8](repeating: 0, count: Self.bufferSize)
    unsafe self.socket = socket
  }

  deinit { unsafe mnl_socket_close(socket) }

  /// Asks for everything that fits a question, and calls the body with the type and payload of each answer.
  ///
  /// Throws what the kernel says of a question that it does not take, also at the end of its answers; a dump that
  /// changed meanwhile is asked for again, from the beginning: `restart` is called before. After so many attempts, that
  /// is thrown too, as ``NetlinkError/isInterrupted``.
  mutating func dump(
    _ type: UInt16, _ payload: [UInt8], attempts: Int = Self.attempts, restart: () -> Void,
    _ body: (UInt16, Span<UInt8>) -> Void
  ) throws(NetlinkError) {
    for attempt in 1... {
      do throws(NetlinkError) {
        try send(type, flags: NLM_F_REQUEST | NLM_F_DUMP, payload)
        return try receive("dump", body)
      } catch {
        guard error.isInterrupted, attempt < attempts else { throw error }
        restart()
      }
    }
  }

  /// Asks a question with one answer, and calls the body with its type and payload. Throws what the kernel says
  /// instead of an answer.
  mutating func request(
    _ type: UInt16, _ payload: [UInt8], _ body: (UInt16, Span<UInt8>) -> Void
  ) throws(NetlinkError) {
    try send(type, flags: NLM_F_REQUEST, payload)
    try receive("request", body)
  }

  private mutating func send(_ type: UInt16, flags: Int32, _ payload: [UInt8]) throws(NetlinkError) {
    sequence &+= 1
    let sequence = sequence
    let socket = unsafe socket
    let isSent = unsafe buffer.withUnsafeMutableBytes { buffer in
      guard let header = unsafe mnl_nlmsg_put_header(buffer.baseAddress),
        let room = unsafe mnl_nlmsg_put_extra_header(header, payload.count)
      else { return false }
      unsafe header.pointee.nlmsg_type = type
      unsafe header.pointee.nlmsg_flags = UInt16(truncatingIfNeeded: flags)
      unsafe header.pointee.nlmsg_seq = sequence
      unsafe room.copyMemory(from: payload, byteCount: payload.count)
      return unsafe mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0
    }
    guard isSent else { throw NetlinkError("send") }
  }

  /// Reads answers up to the last one: the only one, or that which says so.
  private mutating func receive(
    _ operation: String, _ body: (UInt16, Span<UInt8>) -> Void
  ) throws(NetlinkError) {
    var wasInterrupted = false
    while true {
      let (socket, portID, sequence) = (unsafe socket, portID, sequence)
      let outcome: Result<Bool, NetlinkError> = unsafe buffer.withUnsafeMutableBytes { buffer in
        let count = unsafe mnl_socket_recvfrom(socket, buffer.baseAddress, buffer.count)
        guard count >= 0 else { return .failure(NetlinkError("receive")) }
        var rest = Int32(truncatingIfNeeded: count)
        var next = unsafe UnsafePointer(buffer.baseAddress?.assumingMemoryBound(to: nlmsghdr.self))
        while let header = unsafe next, unsafe mnl_nlmsg_ok(header, rest) {
          unsafe next = UnsafePointer(mnl_nlmsg_next(header, &rest))
          guard unsafe mnl_nlmsg_portid_ok(header, portID), unsafe mnl_nlmsg_seq_ok(header, sequence) else { continue }
          let (type, flags) = unsafe (Int32(header.pointee.nlmsg_type), header.pointee.nlmsg_flags)
          if Int32(flags) & NLM_F_DUMP_INTR != 0 { wasInterrupted = true }
          let start = unsafe mnl_nlmsg_get_payload(header)?.assumingMemoryBound(to: UInt8.self)
          let length = unsafe mnl_nlmsg_get_payload_len(header)
          let payload = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: start, count: length))
          switch type {
          case NLMSG_NOOP: break
          case NLMSG_ERROR, NLMSG_DONE:
            // A dump that fails says so in the message that ends it.
            let verdict = NetlinkVerdict(payload, flags: flags, isError: type == NLMSG_ERROR)
            guard verdict.errno != 0 else { return .success(true) }
            return .failure(NetlinkError(operation, errno: verdict.errno, message: verdict.message))
          case NLMSG_OVERRUN: return .failure(NetlinkError("receive", errno: ENOBUFS))
          default:
            body(unsafe header.pointee.nlmsg_type, payload)
            if Int32(flags) & NLM_F_MULTI == 0 { return .success(true) }
          }
        }
        return .success(false)
      }
      guard try outcome.get() else { continue }
      if wasInterrupted { throw NetlinkError(operation, errno: EINTR) }
      return
    }
  }
}

// MARK: - Sockets

extension NetlinkSocket {
  private static let socketDiagnosticsByFamily: UInt16 = 20

  /// Calls the body with each socket that fits the question. Where an interruption is thrown, the body has had an
  /// answer that is perhaps not complete.
  public mutating func sockets(
    _ query: SocketQuery, attempts: Int = Self.attempts, restart: () -> Void = {},
    _ body: (SocketRecord) -> Void
  ) throws(NetlinkError) {
    try dump(Self.socketDiagnosticsByFamily, query.payload, attempts: attempts, restart: restart) { _, payload in
      if let record = SocketRecord(payload) { body(record) }
    }
  }

  /// Calls the body with each Unix socket that fits the question, as the twin for TCP and UDP does.
  public mutating func sockets(
    _ query: UnixSocketQuery, attempts: Int = Self.attempts, restart: () -> Void = {},
    _ body: (UnixSocketRecord) -> Void
  ) throws(NetlinkError) {
    try dump(Self.socketDiagnosticsByFamily, query.payload, attempts: attempts, restart: restart) { _, payload in
      if let record = UnixSocketRecord(payload) { body(record) }
    }
  }
}
