// SPDX-License-Identifier: Apache-2.0

internal import DNS
internal import Sys

/// One question to one name server, on its way.
///
/// ```
/// UDP: sent ──answer──► reply            sent again, to the same socket and under the same number, until the tries
///        └──truncated──► TCP: connecting ──► sent ──answer──► reply                                       are used up
/// ```
final class DNSExchange {
  // Classes, as a socket cannot be a part of an enumeration that is copied.
  private final class Datagrams {
    let socket: DatagramSocket
    init(_ socket: consuming DatagramSocket) { self.socket = socket }
  }

  private final class Stream {
    var socket: StreamSocket
    var unsent: [UInt8]
    var received: [UInt8] = []

    init(_ socket: consuming StreamSocket, sending bytes: [UInt8]) {
      self.socket = socket
      unsent = bytes
    }
  }

  private enum Channel {
    case none
    case datagrams(Datagrams)
    case stream(Stream)
  }

  /// When to look at the exchange again, though nothing came.
  private(set) var deadline: Deadline

  private let server: SocketAddress
  private let query: DNSQuery
  private let timeout: Int64
  private let maxTries: Int
  private let start = Instant.now
  private var channel = Channel.none
  private var isOverTCP = false
  private var tries = 0
  private var strays = 0

  /// How many messages are looked at before it is somebody else's turn.
  private static let messagesPerTurn = 16

  init(_ query: DNSQuery, to server: SocketAddress, timeout: Int64, tries: Int) {
    (self.query, self.server, self.timeout, maxTries) = (query, server, timeout, tries)
    deadline = Deadline(nanoseconds: timeout, after: start)
  }

  /// Sends the question; what came of it, where that is known at once.
  func begin() -> DNSReply? {
    do throws(SystemError) {
      channel = .datagrams(Datagrams(try DatagramSocket(connectedTo: server)))
      return try sendDatagram()
    } catch { return reply(to: error, isSynchronous: true) }
  }

  /// Adds the one entry of the exchange.
  func add(to poll: inout Poll) {
    switch channel {
    case .none: break
    case .datagrams(let datagrams): poll.add(datagrams.socket)
    case .stream(let stream):
      poll.add(stream.socket, for: stream.socket.isConnecting || !stream.unsent.isEmpty ? .writable : .readable)
    }
  }

  /// Goes on where the entry is ready or the time is over; what came of the question, once that is known.
  func proceed(isReady: Bool) -> DNSReply? {
    do throws(SystemError) {
      if isReady {
        switch channel {
        case .none: break
        case .datagrams(let datagrams): if let reply = try receive(from: datagrams) { return reply }
        case .stream(let stream): if let reply = try proceed(on: stream) { return reply }
        }
      }
      guard deadline.hasPassed else { return nil }
      guard !isOverTCP, tries < maxTries else { return reply(.silence) }
      deadline = Deadline(nanoseconds: timeout)
      return try sendDatagram()
    } catch { return reply(to: error, isSynchronous: false) }
  }

  private func sendDatagram() throws(SystemError) -> DNSReply? {
    guard case .datagrams(let datagrams) = channel else { return nil }
    tries += 1
    try datagrams.socket.send(query.encoded.span)
    return nil
  }

  private func receive(from datagrams: Datagrams) throws(SystemError) -> DNSReply? {
    for _ in 0..<Self.messagesPerTurn {
      guard let bytes = try datagrams.socket.receive() else { return nil }
      guard let message = answer(in: bytes) else { continue }
      guard message.isTruncated else { return reply(.answer(message)) }
      try goOverToTCP()
      return nil
    }
    return nil
  }

  private func goOverToTCP() throws(SystemError) {
    isOverTCP = true
    channel = .none
    deadline = Deadline(nanoseconds: timeout)
    let bytes = query.encoded
    let length = [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)]
    let socket = try StreamSocket(connectingTo: server, keepsNetworkErrors: true)
    channel = .stream(Stream(socket, sending: length + bytes))
  }

  private func proceed(on stream: Stream) throws(SystemError) -> DNSReply? {
    if stream.socket.isConnecting { try stream.socket.finishConnecting() }
    if !stream.unsent.isEmpty {
      let unsent = stream.unsent
      stream.unsent.removeFirst(try stream.socket.send(unsent.span))
      return nil
    }
    switch try stream.socket.receive(into: &stream.received) {
    case .wouldBlock: return nil
    case .endOfFile: return reply(.ended)
    case .bytes: break
    }
    var rest = stream.received[...]
    while let high = rest.first, let low = rest.dropFirst().first {
      let length = Int(high) << 8 | Int(low)
      guard rest.count >= 2 + length else { break }
      if let message = answer(in: Array(rest.dropFirst(2).prefix(length))) { return reply(.answer(message)) }
      rest = rest.dropFirst(2 + length)
    }
    stream.received = Array(rest)
    return nil
  }

  /// The message, where it is one and belongs to the question.
  private func answer(in bytes: [UInt8]) -> DNSMessage? {
    if let message = try? DNSMessage(decoding: bytes), query.isAnswered(by: message) { return message }
    strays += 1
    return nil
  }

  private func reply(_ outcome: DNSOutcome) -> DNSReply {
    DNSReply(
      query.question, outcome, time: Instant.now.nanoseconds(since: start), isOverTCP: isOverTCP, tries: tries,
      strays: strays)
  }

  private func reply(to error: SystemError, isSynchronous: Bool) -> DNSReply {
    var said: [NetworkError] = []
    switch channel {
    case .none: break
    case .datagrams(let datagrams):
      said = datagrams.socket.networkErrors()
      // A port that nobody has is what the host itself tells; from anybody else, it is a firewall's word.
      let sender = said.last { $0.origin != .local }?.sender
      if error.errno == Errno.connectionRefused, sender == nil || sender?.host == server.host { return reply(.closed) }
    case .stream(let stream):
      said = stream.socket.networkErrors()
      if !stream.socket.isConnecting { return reply(.ended) }
    }
    return reply(.network(TCPOutcome(error, said, to: server, isSynchronous: isSynchronous)))
  }
}
