// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import Flags
internal import Sys

/// How one question to one name server ended.
enum DNSOutcome: Equatable {
  /// A message that belongs to the question.
  case answer(DNSMessage)
  /// Nothing came that belongs to the question.
  case silence
  /// The server's host has nobody at the port.
  case closed
  /// The network, or this machine, did not let it through.
  case network(TCPOutcome)
  /// The server ended the connection over TCP without an answer.
  case ended
  /// This machine has no random number for a question that nobody may guess.
  case noRandomness
}

/// What came of one question to one name server.
struct DNSReply {
  let question: DNSQuestion
  let outcome: DNSOutcome
  /// Time from the first packet to the outcome, in nanoseconds.
  let time: Int64
  /// Whether it came to TCP, after an answer that was too long for UDP.
  let isOverTCP: Bool
  /// How often the question was sent over UDP.
  let tries: Int
  /// How many messages came that do not belong to the question, or that are none; none of them is believed.
  let strays: Int
  /// The records that answer, with the aliases that lead to them: nothing else of a message is believed.
  let records: [DNSRecord]

  /// The most aliases that are followed.
  private static let maxAliases = 32

  init(
    _ question: DNSQuestion, _ outcome: DNSOutcome, time: Int64, isOverTCP: Bool = false, tries: Int = 1,
    strays: Int = 0
  ) {
    (self.question, self.outcome, self.time) = (question, outcome, time)
    (self.isOverTCP, self.tries, self.strays) = (isOverTCP, tries, strays)
    if case .answer(let message) = outcome {
      records = Self.chain(in: message.answers, from: question)
    } else {
      records = []
    }
  }

  private static func chain(in answers: [DNSRecord], from question: DNSQuestion) -> [DNSRecord] {
    var found: [DNSRecord] = []
    var owner = question.name
    while found.count <= maxAliases {
      let own = answers.filter { $0.name == owner && $0.recordClass == question.recordClass }
      let wanted = own.filter { $0.data.type == question.type }
      if !wanted.isEmpty { return found + wanted }
      guard let alias = own.first(where: { $0.data.type == .cname }), case .alias(let target) = alias.data else {
        break
      }
      found.append(alias)
      owner = target
    }
    return found
  }

  /// The records of the type that was asked for.
  var data: [DNSRecord] { records.filter { $0.data.type == question.type } }

  /// The addresses among them, each once.
  var addresses: [IPAddress] {
    var seen: Set<IPAddress> = []
    return records.compactMap { record in
      guard case .address(let address) = record.data, seen.insert(address).inserted else { return nil }
      return address
    }
  }

  /// Whether the server said anything.
  var isAnswered: Bool { if case .answer = outcome { true } else { false } }

  /// The answer's code in the words of DNS; nil without an answer.
  var responseCode: String? { if case .answer(let message) = outcome { message.code.name } else { nil } }

  /// The stable code.
  var code: String {
    switch outcome {
    case .answer(let message):
      switch message.code {
      case .noError: data.isEmpty ? "DNS_NO_ADDRESS" : "OK"
      case .nameError: "DNS_NXDOMAIN"
      case .refused: "DNS_REFUSED"
      // What no resolver makes anything else of.
      default: "DNS_SERVFAIL"
      }
    case .silence: "DNS_TIMEOUT"
    case .closed, .network, .ended: "DNS_UNREACHABLE"
    case .noRandomness: "SYSTEM_FAILURE"
    }
  }

  /// What it means, without a full stop.
  var meaning: String {
    let start = isOverTCP && !isAnswered ? "the answer is too long for UDP, and over TCP: " : ""
    return start + plainMeaning + (strays > 0 && !isAnswered ? strayMeaning : "")
  }

  private var plainMeaning: String {
    switch outcome {
    case .answer(let message):
      switch message.code {
      case .noError:
        data.isEmpty
          ? "the name exists, and has no record of type \(question.type.name)"
          : "\(data.count) \(data.count == 1 ? "record" : "records") of type \(question.type.name)"
      case .nameError: "there is no such name (NXDOMAIN)"
      case .serverFailure: "the server could not find out (SERVFAIL)"
      case .refused: "the server refuses to answer this client (REFUSED)"
      default: "the server cannot answer (\(message.code.name))"
      }
    case .silence:
      isOverTCP || tries == 1
        ? "no answer in \(shownDuration(time))"
        : "no answer to \(tries) tries in \(shownDuration(time))"
    case .closed: "nothing listens there (ICMP port unreachable), or a firewall answers as if"
    case .network(let outcome): outcome.meaning
    case .ended: "the server ended the connection without an answer"
    case .noRandomness: "this machine has no random number, and no question is asked without one"
    }
  }

  private var strayMeaning: String {
    "; \(strays) \(strays == 1 ? "message" : "messages") dropped that \(strays == 1 ? "is" : "are") no answer to it"
  }
}

extension DNSRecordData {
  /// What the record says, in the form of zone files (RFC 1035 section 5.1). It is safe to print.
  var text: String {
    switch self {
    case .address(let address): address.text
    case .alias(let name), .nameServer(let name), .pointer(let name): name.text
    case .startOfAuthority(let zone):
      "\(zone.primaryServer.text) \(zone.mailbox.text) \(zone.serial) \(zone.refresh) \(zone.retry) \(zone.expire) "
        + "\(zone.minimum)"
    case .service(let priority, let weight, let port, let target): "\(priority) \(weight) \(port) \(target.text)"
    case .mailExchange(let preference, let exchange): "\(preference) \(exchange.text)"
    case .text(let texts): texts.map { String(systemBytes: $0).quoted }.joined(separator: " ")
    case .other(_, let bytes):
      // RFC 3597 section 5.
      "\\# \(bytes.count) " + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
