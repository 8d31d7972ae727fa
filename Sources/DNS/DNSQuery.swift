// SPDX-License-Identifier: Apache-2.0

/// One question to a name server, as bytes, and whether a message is the answer to it.
public struct DNSQuery: Equatable, Sendable {
  /// The number by which the answer is known: one that nobody can guess.
  public var id: UInt16
  /// What is asked.
  public var question: DNSQuestion
  /// Whether the server is to ask others.
  public var recursionDesired: Bool
  /// The longest answer over UDP that is taken, in bytes; nil asks without EDNS, which means 512.
  public var payloadSize: UInt16?

  /// What passes any network in one piece.
  public static let defaultPayloadSize: UInt16 = 1232

  /// A question about a name.
  public init(
    id: UInt16, name: DNSName, type: DNSRecordType, recursionDesired: Bool = true,
    payloadSize: UInt16? = DNSQuery.defaultPayloadSize
  ) {
    self.id = id
    question = DNSQuestion(name: name, type: type)
    self.recursionDesired = recursionDesired
    self.payloadSize = payloadSize
  }

  /// The message, as it goes into a datagram. Over TCP its length goes before it, in two bytes.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    func append(_ value: UInt16) {
      bytes.append(UInt8(truncatingIfNeeded: value >> 8))
      bytes.append(UInt8(truncatingIfNeeded: value))
    }
    append(id)
    append(recursionDesired ? 0x0100 : 0)
    for count in [1, 0, 0, payloadSize == nil ? 0 : 1] as [UInt16] { append(count) }
    bytes += question.name.wire
    append(question.type.rawValue)
    append(question.recordClass)
    if let payloadSize {
      bytes += DNSName.root.wire
      append(DNSRecordType.opt.rawValue)
      append(payloadSize)
      bytes += [0, 0, 0, 0, 0, 0]  // no bits of a code, version 0, no flags, no options
    }
    return bytes
  }

  /// Whether a message answers this query: by its number and by repeating the question. A server that refuses a query
  /// as a whole may leave the question out.
  public func isAnswered(by message: DNSMessage) -> Bool {
    guard message.isResponse, message.id == id, message.opcode == 0 else { return false }
    if message.questions.isEmpty { return message.code != .noError }
    return message.questions == [question]
  }
}
