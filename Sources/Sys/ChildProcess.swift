// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// A copy of this process that works beside it and tells what it finds, a line at a time. It ends with this object,
/// with its work, or with this process, whichever comes first.
///
/// It may only be made while this process has a single thread: others would be missing in the copy, and what they held
/// would stay held.
public final class ChildProcess {
  private let processID: Int32
  private let descriptor: FileDescriptor
  private var received: [UInt8] = []

  /// The longest line that is kept, in bytes.
  private static let longestLine = 64 << 10

  var number: Int32 { descriptor.number }

  /// Starts the work in a copy of this process; what it is given writes a line.
  public init(_ work: (_ tell: (String) -> Void) -> Void) throws(SystemError) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
      unsafe pipe2(bytes.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC)
    }
    guard result == 0 else { throw SystemError("pipe2") }
    descriptor = FileDescriptor(adopting: ends.0)
    let output = FileDescriptor(adopting: ends.1)
    let parent = getpid()
    processID = sonde_fork()
    guard processID >= 0 else { throw SystemError("fork") }
    guard processID == 0 else { return }
    // The copy. One whose first process ended meanwhile has nobody to work for.
    sonde_end_with_parent()
    guard getppid() == parent else { _exit(1) }
    let number = output.number
    work { line in
      let bytes = Array(line.utf8) + [0x0A]
      // Shorter than PIPE_BUF or not, nobody else writes here.
      _ = unsafe bytes.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
    }
    _exit(0)
  }

  deinit { end() }

  /// Ends the copy, if it has not ended yet.
  private func end() {
    // Where there was no fork, there is a number that stands for every process there is.
    guard processID > 0 else { return }
    kill(processID, SIGKILL)
    var status: Int32 = 0
    while unsafe waitpid(processID, &status, 0) < 0, sonde_errno() == EINTR {}
  }

  /// Reads what there is, once a ``Poll`` says that there is something: whole lines, and whether the copy has ended.
  public func receive() -> (lines: [String], hasEnded: Bool) {
    guard let chunk = try? readChunk(number, atMost: Self.longestLine), !chunk.isEmpty else { return ([], true) }
    received += chunk
    var lines: [String] = []
    while let end = received.firstIndex(of: 0x0A) {
      lines.append(String(decoding: received[..<end], as: UTF8.self))
      received.removeFirst(end + 1)
    }
    return (lines, received.count > Self.longestLine)
  }
}

extension Process {
  /// Makes this process another program's, found as a shell finds it, with this one's environment and the signals as
  /// they were before the tools took them over. It returns only where that failed.
  public static func become(_ words: [String]) -> SystemError {
    sonde_restore_signals()
    let arguments = words.map { $0.systemBytes.map { CChar(bitPattern: $0) } + [0] }
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
    for argument in arguments {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: argument.count)
      for (index, byte) in argument.enumerated() { unsafe copy[index] = byte }
      unsafe pointers.append(copy)
    }
    guard let program = unsafe pointers.first, let program = unsafe program else {
      return SystemError("exec", errno: ENOENT)
    }
    unsafe pointers.append(nil)
    _ = unsafe execvp(program, pointers)
    return SystemError("exec")
  }
}
