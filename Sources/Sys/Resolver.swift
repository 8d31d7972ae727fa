// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// Why a name gave no address.
public struct ResolveError: Error, Equatable, Sendable {
  /// What the resolver found.
  public enum Code: Equatable, Sendable {
    /// The name does not exist, as far as the resolver's servers know.
    case notFound
    /// The name exists, but has no address.
    case noAddress
    /// No server answered, or it answered with a failure that may pass.
    case temporary
    /// Anything else.
    case failed
  }

  /// What the resolver found.
  public let code: Code
  /// The C library's text for it.
  public let text: String
}

/// One look-up of a name, running on a thread of its own so that a deadline and a signal can end the waiting: the C
/// library's resolver knows neither. A look-up that is given up leaves its thread behind; it ends with the process.
public struct Resolver: ~Copyable {
  private let job: Job
  private let wake: FileDescriptor

  /// Addresses that need no look-up: literals, and `localhost` with its subdomains (RFC 6761), which must work in a
  /// container without /etc/hosts too.
  public static func immediate(host: String, port: UInt16) -> [SocketAddress]? {
    if let address = SocketAddress(literal: host, port: port) { return [address] }
    var name = host.asciiLowercased
    if name.utf8.last == 0x2E { name.removeLast() }
    guard name == "localhost" || name.hasSuffix(".localhost") else { return nil }
    return [
      .ipv6(Array(repeating: 0, count: 15) + [1], port: port, scope: 0),
      .ipv4([127, 0, 0, 1], port: port),
    ]
  }

  /// Starts a look-up.
  public init(host: String, port: UInt16) throws(SystemError) {
    _ = Self.configureOnce
    var ends: (Int32, Int32) = (-1, -1)
    let made = unsafe withUnsafeMutableBytes(of: &ends) { buffer in
      unsafe pipe2(buffer.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC | O_NONBLOCK)
    }
    guard made == 0 else { throw SystemError("pipe2") }
    let reading = FileDescriptor(adopting: ends.0)
    let job = Job(host: host, port: port, writing: ends.1)
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    // The thread owns one reference to the job and gives it back at its end; the other is this look-up's.
    let context = unsafe Unmanaged.passRetained(job)
    let result = unsafe pthread_create(
      &thread, &attributes,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Job>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    unsafe pthread_attr_destroy(&attributes)
    guard result == 0 else {
      unsafe context.release()
      throw SystemError("pthread_create", errno: result)
    }
    self.job = job
    wake = reading
  }

  /// Adds the look-up's end to what is waited for.
  public func add(to poll: inout Poll) { poll.add(wake) }

  /// The outcome, once the look-up's entry in the poll is ready: addresses in the system's order of preference (RFC
  /// 6724), each once.
  public func finish() throws(ResolveError) -> [SocketAddress] {
    var byte: UInt8 = 0
    // The thread's write happens before this read returns: the outcome is complete and nobody writes it again.
    _ = unsafe read(wake.number, &byte, 1)
    if let error = job.error { throw error }
    return job.addresses
  }

  /// A static executable in somebody else's image must not load that image's resolver modules: say which of the
  /// C library's own to use before the first look-up.
  private static let configureOnce: Bool = sonde_use_builtin_resolvers() == 0
}

/// The look-up as both threads see it. The resolving thread alone writes `addresses` and `error`, before it writes to
/// the pipe; the other reads them after it has read from the pipe.
private final class Job: @unchecked Sendable {
  let host: String
  let port: UInt16
  let writing: Int32
  var addresses: [SocketAddress] = []
  var error: ResolveError?

  init(host: String, port: UInt16, writing: Int32) {
    self.host = host
    self.port = port
    self.writing = writing
  }

  deinit { _ = close(writing) }

  func run() {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = unsafe host.withCString { unsafe getaddrinfo($0, nil, &hints, &list) }
    if result == 0 {
      var entry = unsafe list
      while let current = unsafe entry {
        if let raw = unsafe current.pointee.ai_addr, let address = unsafe SocketAddress(raw, port: port),
          !addresses.contains(address)
        {
          addresses.append(address)
        }
        unsafe entry = current.pointee.ai_next
      }
      unsafe freeaddrinfo(list)
      if addresses.isEmpty { error = ResolveError(code: .noAddress, text: "no address for this name") }
    } else {
      error = ResolveError(code: Self.code(result), text: unsafe String(cString: gai_strerror(result)))
    }
    var byte: UInt8 = 1
    _ = unsafe write(writing, &byte, 1)
  }

  private static func code(_ result: Int32) -> ResolveError.Code {
    switch result {
    case EAI_NONAME: .notFound
    case sonde_eai_nodata(): .noAddress
    case EAI_AGAIN: .temporary
    default: .failed
    }
  }
}
