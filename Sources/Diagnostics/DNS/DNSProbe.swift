// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Crypto
internal import DNS
internal import Sys

/// Asks name servers, side by side.
struct DNSProbe {
  /// How long a try may take, in nanoseconds.
  let timeout: Int64
  /// How often a question is sent over UDP.
  let tries: Int
  /// Whether queries use EDNS.
  let usesEDNS: Bool

  /// One question to one server.
  struct Question {
    let server: SocketAddress
    let name: DNSName
    let type: DNSRecordType
  }

  /// How many questions are on their way at a time: well below the descriptors that a process may have.
  private static let maxAtOnce = 64

  /// Asks all questions; the replies come in their order.
  func ask(_ questions: [Question]) -> [DNSReply] {
    var replies: [DNSReply] = []
    var rest = questions[...]
    while !rest.isEmpty {
      replies += askAtOnce(Array(rest.prefix(Self.maxAtOnce)))
      rest = rest.dropFirst(Self.maxAtOnce)
    }
    return replies
  }

  private func askAtOnce(_ questions: [Question]) -> [DNSReply] {
    let numbers: [UInt8]
    do throws(CryptoError) { numbers = try randomBytes(count: 2 * questions.count) } catch {
      return questions.map { DNSReply(DNSQuestion(name: $0.name, type: $0.type), .noRandomness, time: 0) }
    }
    var replies: [DNSReply?] = []
    var running: [(index: Int, exchange: DNSExchange)] = []
    for (index, question) in questions.enumerated() {
      let query = DNSQuery(
        id: UInt16(numbers[2 * index]) << 8 | UInt16(numbers[2 * index + 1]), name: question.name, type: question.type,
        payloadSize: usesEDNS ? DNSQuery.defaultPayloadSize : nil)
      let exchange = DNSExchange(query, to: question.server, timeout: timeout, tries: tries)
      let reply = exchange.begin()
      if reply == nil { running.append((index, exchange)) }
      replies.append(reply)
    }
    while !running.isEmpty {
      var poll = Poll()
      var deadline = Deadline.never
      for entry in running {
        entry.exchange.add(to: &poll)
        deadline = deadline.earlier(entry.exchange.deadline)
      }
      _ = try? poll.wait(until: deadline)
      var rest: [(index: Int, exchange: DNSExchange)] = []
      for (position, entry) in running.enumerated() {
        if let reply = entry.exchange.proceed(isReady: poll.isReady(position)) {
          replies[entry.index] = reply
        } else {
          rest.append(entry)
        }
      }
      running = rest
    }
    return replies.compactMap { $0 }
  }
}

extension DNSProbe {
  /// How many addresses of a server's answers are asked back for their names.
  private static let maxPointers = 16
  /// How long a server has to tell an address's name, in nanoseconds: some never answer for one that they do not know.
  private static let pointerTimeout: Int64 = 500_000_000

  /// Asks servers for the names in their order, each server until it has records of one of the types or has nothing to
  /// say at all; then each for the names of the addresses that it gave.
  func search(_ names: [DNSName], _ types: [DNSRecordType], at servers: [SocketAddress]) -> [DNSReport.Server] {
    var steps: [[DNSReport.Step]] = servers.map { _ in [] }
    var asking = Array(servers.indices)
    for name in names where !asking.isEmpty {
      let questions = asking.flatMap { index in
        types.map { Question(server: servers[index], name: name, type: $0) }
      }
      var replies = ask(questions)[...]
      for index in asking {
        steps[index].append(DNSReport.Step(name: name, replies: Array(replies.prefix(types.count))))
        replies = replies.dropFirst(types.count)
      }
      asking = asking.filter { index in
        guard let last = steps[index].last else { return false }
        return last.code != "OK" && last.replies.contains { $0.isAnswered }
      }
    }
    let pointers = pointers(at: servers, for: steps)
    return servers.indices.map {
      DNSReport.Server(address: servers[$0], steps: steps[$0], pointers: pointers[$0])
    }
  }

  private func pointers(at servers: [SocketAddress], for steps: [[DNSReport.Step]]) -> [[DNSReport.Pointer]] {
    var asked: [(server: Int, address: IPAddress)] = []
    for index in servers.indices {
      var seen: Set<IPAddress> = []
      let addresses = (steps[index].last?.replies ?? []).flatMap { $0.addresses }
      for address in addresses.filter({ seen.insert($0).inserted }).prefix(Self.maxPointers) {
        asked.append((index, address))
      }
    }
    let probe = DNSProbe(timeout: min(timeout, Self.pointerTimeout), tries: 1, usesEDNS: usesEDNS)
    let replies = probe.ask(
      asked.map { Question(server: servers[$0.server], name: DNSName(reverseOf: $0.address), type: .ptr) })
    var pointers: [[DNSReport.Pointer]] = servers.map { _ in [] }
    for (question, reply) in zip(asked, replies) {
      for record in reply.data {
        guard case .pointer(let name) = record.data else { continue }
        pointers[question.server].append(DNSReport.Pointer(address: question.address, name: name))
      }
    }
    return pointers
  }
}
