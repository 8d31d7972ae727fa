// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Fault
internal import Sys

/// What came of reading from a ``ByteStream``.
enum StreamRead: Equatable {
  /// Bytes of the application.
  case bytes([UInt8])
  /// Nothing for the application yet.
  case nothing
  /// The peer has ended its side.
  case endOfStream
}

/// A connected socket, in the clear or under TLS: bytes of the application on one side, poll(2) on the other.
final class ByteStream {
  private var socket: StreamSocket
  private let waiter: Waiter
  /// Bytes for the socket that the kernel has not taken yet.
  private var outgoing: [UInt8] = []

  /// The address at the other end, for messages.
  let name: String

  init(_ socket: consuming StreamSocket, waiter: Waiter) {
    name = socket.address.text
    self.socket = consume socket
    self.waiter = waiter
  }

  /// Hands bytes to the socket; what it does not take now goes out while waiting.
  func send(_ bytes: [UInt8]) throws(Fault) {
    if outgoing.isEmpty { outgoing = bytes } else { outgoing += bytes }
    try flush()
  }

  /// Waits until there is something to read, sending meanwhile what is due; false where the deadline came first.
  func waitUntilReadable(_ deadline: Deadline) throws(Fault) -> Bool {
    while !outgoing.isEmpty {
      guard try waiter.wait(for: socket, [.readable, .writable], until: deadline) else { return false }
      let before = outgoing.count
      try flush()
      if outgoing.count == before { return true }
    }
    return try waiter.wait(for: socket, .readable, until: deadline)
  }

  /// Waits until all bytes are with the kernel; false where the deadline came first.
  func flush(until deadline: Deadline) throws(Fault) -> Bool {
    try flush()
    while !outgoing.isEmpty {
      guard try waiter.wait(for: socket, .writable, until: deadline) else { return false }
      try flush()
    }
    return true
  }

  /// Reads what is there.
  func receive() throws(Fault) -> StreamRead {
    var bytes: [UInt8] = []
    do throws(SystemError) {
      switch try socket.receive(into: &bytes) {
      case .bytes: return .bytes(bytes)
      case .wouldBlock: return .nothing
      case .endOfFile: return .endOfStream
      }
    } catch { throw Fault(.connectionLost, name, detail: error.text) }
  }

  /// Ends our side, and reads what the peer still says until it ends its own or the deadline comes: a socket that is
  /// closed with bytes unread, or before the peer's last ones arrive, answers with a reset that servers log as an error.
  func close(until deadline: Deadline) {
    do throws(Fault) {
      guard try flush(until: deadline) else { return }
      socket.shutdownWriting()
      while try waiter.wait(for: socket, .readable, until: deadline) {
        if try receive() == .endOfStream { return }
      }
    } catch {
      // The connection is broken, or a signal came: there is nobody left to be polite to.
    }
  }

  private func flush() throws(Fault) {
    do throws(SystemError) {
      var sent = 0
      while sent < outgoing.count {
        let count = try socket.send(outgoing.span.extracting(sent...))
        if count == 0 { break }
        sent += count
      }
      if sent == outgoing.count { outgoing = [] } else { outgoing.removeFirst(sent) }
    } catch { throw Fault(.connectionLost, name, detail: error.text) }
  }
}
