// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// SIGINT and SIGTERM as something to wait for, not as an interruption.
///
/// The signals are blocked for the whole process, threads started later included, and read from a descriptor.
public struct Signals: ~Copyable {
  private let descriptor: FileDescriptor

  var number: Int32 { descriptor.number }

  /// A signal that ends the work.
  public enum Termination: Sendable {
    /// SIGINT: Ctrl-C.
    case interrupt
    /// SIGTERM: the container's stop.
    case terminate

    /// The word for it in messages.
    public var name: String {
      switch self {
      case .interrupt: "interrupt"
      case .terminate: "terminated"
      }
    }

    /// The exit code of a process that the signal ended, as shells tell it.
    public var exitCode: Int32 {
      switch self {
      case .interrupt: 128 + SIGINT
      case .terminate: 128 + SIGTERM
      }
    }
  }

  /// Takes over the two signals.
  public init() throws(SystemError) {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGINT)
    unsafe sigaddset(&set, SIGTERM)
    guard unsafe sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw SystemError("sigprocmask") }
    let number = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard number >= 0 else { throw SystemError("signalfd") }
    descriptor = FileDescriptor(adopting: number)
  }

  /// The signal that came first and was not taken yet; nil where none came.
  public func take() -> Termination? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(number, &information, size) == size else { return nil }
    return information.ssi_signo == UInt32(SIGINT) ? .interrupt : .terminate
  }
}
