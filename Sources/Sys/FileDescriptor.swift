// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A file descriptor that closes itself.
public struct FileDescriptor: ~Copyable {
  /// The kernel's number.
  let number: Int32

  /// Takes ownership of an open descriptor.
  init(adopting number: Int32) { self.number = number }

  deinit { _ = close(number) }
}

/// What came of a read that does not wait.
public enum ReadResult: Equatable, Sendable {
  /// So many bytes arrived.
  case bytes(Int)
  /// Nothing is there yet.
  case wouldBlock
  /// The peer has ended its side.
  case endOfFile
}

/// What the process is given to read.
public enum StandardInput {
  /// Reads all there is, at most `limit` bytes; nothing where the input is a terminal or closed.
  public static func read(limit: Int) -> [UInt8] {
    guard isatty(0) == 0 else { return [] }
    var bytes: [UInt8] = []
    while bytes.count < limit, let chunk = try? readChunk(0, atMost: min(64 << 10, limit - bytes.count)), !chunk.isEmpty
    {
      bytes += chunk
    }
    return bytes
  }

  /// Reads what is there, waiting for something; empty at the input's end, and where it cannot be read.
  public static func readSome() -> [UInt8] { (try? readChunk(0, atMost: 64 << 10)) ?? [] }
}

/// A standard stream of the process.
public enum StandardStream: Int32, Sendable {
  /// Data.
  case output = 1
  /// Diagnostics.
  case error = 2

  /// Writes the whole text with as few calls as the kernel allows; a closed or full stream is nobody's failure here.
  public func write(_ text: String) {
    var text = text
    _ = text.withUTF8 { unsafe write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes all the bytes, as ``write(_:)-(String)`` does.
  ///
  /// - Returns: whether all were written. Where they were not, nobody reads any more.
  public func write(_ bytes: [UInt8]) -> Bool { unsafe bytes.withUnsafeBytes { unsafe write($0) } }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = unsafe bytes[...]
    while unsafe !rest.isEmpty {
      let chunk = unsafe UnsafeRawBufferPointer(rebasing: rest)
      let count = unsafe CLinux.write(rawValue, chunk.baseAddress, chunk.count)
      if count > 0 {
        unsafe rest = rest.dropFirst(count)
      } else if count < 0, sonde_errno() == EAGAIN {
        // A pipe that its reader set to non-blocking: wait for room, but not for ever.
        var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&entry, 1, 1_000) == 1 else { return false }
      } else if count == 0 || sonde_errno() != EINTR {
        return false
      }
    }
    return true
  }

  /// Makes the standard streams safe to write to, whatever the caller left of them; the first thing that a tool does.
  ///
  /// Where one is closed, the next socket would get its number, and diagnostics would go to the server: a socket that
  /// leads nowhere takes the place. And a reader that has gone must not kill the process by SIGPIPE.
  public static func prepare() {
    sonde_ignore_sigpipe()
    var entries = (0..<3).map { pollfd(fd: $0, events: 0, revents: 0) }
    guard unsafe poll(&entries, 3, 0) > 0 else { return }
    // The lowest free number is taken first, so each socket falls into the first gap.
    for entry in entries where entry.revents & Int16(POLLNVAL) != 0 {
      _ = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
  }

  /// Whether the stream is a terminal.
  public var isTerminal: Bool { isatty(rawValue) == 1 }
}
