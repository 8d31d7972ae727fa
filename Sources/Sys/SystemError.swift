// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

// Sys: the operating system, with deadlines. Descriptors close themselves, every error keeps its operation and errno,
// and nothing waits without a bound.

/// A system call that failed: what was done, to what, and the kernel's number.
public struct SystemError: Error, Equatable, Sendable {
  /// The system call or library function, such as `connect`.
  public let operation: String
  /// The kernel's error number.
  public let errno: Int32

  /// An error with a number.
  public init(_ operation: String, errno: Int32) {
    self.operation = operation
    self.errno = errno
  }

  /// An error with the calling thread's present `errno`.
  init(_ operation: String) { self.init(operation, errno: sonde_errno()) }

  /// The C library's text for the number, with a small first letter as it stands inside a sentence.
  public var text: String {
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    var bytes = unsafe Array(String(cString: text).utf8)
    // Names and abbreviations keep their capitals: only a capital before a small letter is lowered.
    if bytes.count > 1, bytes[1] >= 0x61 { bytes[0] = bytes[0].asciiLowercased }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The error numbers that callers tell apart.
public enum Errno {
  /// Nothing listens at the address.
  public static let connectionRefused = ECONNREFUSED
  /// The kernel gave up on a silent peer.
  public static let timedOut = ETIMEDOUT
  /// No route leads to the network.
  public static let networkUnreachable = ENETUNREACH
  /// The last hop found no such host.
  public static let hostUnreachable = EHOSTUNREACH
  /// No local address fits, as where IPv6 is switched off.
  public static let addressNotAvailable = EADDRNOTAVAIL
  /// The address family is not supported.
  public static let familyNotSupported = EAFNOSUPPORT
  /// No such file; for a Unix socket, no such path.
  public static let noSuchFile = ENOENT
  /// The permissions of a file or a firewall rule forbid it.
  public static let permissionDenied = EACCES
  /// The operation is not permitted.
  public static let notPermitted = EPERM
  /// The file is a directory.
  public static let isDirectory = EISDIR
  /// A value that the call does not take.
  public static let invalidArgument = EINVAL
  /// The file is larger than the caller's bound.
  public static let fileTooLarge = EFBIG
  /// The process has as many descriptors open as it may.
  public static let tooManyFiles = EMFILE
  /// The system has as many descriptors open as it may.
  public static let tooManyFilesInSystem = ENFILE
  /// The peer ended the connection without a word.
  public static let connectionReset = ECONNRESET
  /// The peer has no such protocol.
  public static let noProtocol = ENOPROTOOPT
  /// A path with a component that is not a directory.
  public static let notDirectory = ENOTDIR
}
