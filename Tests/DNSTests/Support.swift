// SPDX-License-Identifier: Apache-2.0

import Bytes
import DNS

/// The bytes of hexadecimal digits; blanks between them, and what follows `//` in a line, are for the reader.
func hex(_ text: String) -> [UInt8] {
  let digits = text.split(separator: "\n").flatMap { line in
    line.prefix(upTo: line.firstRange(of: "//")?.lowerBound ?? line.endIndex).filter { $0 != " " }
  }
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0..<$0 + 2]), radix: 16) ?? 0 }
}

func hexText(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func failure(_ bytes: [UInt8]) -> DNSError? {
  do throws(DNSError) {
    _ = try DNSMessage(decoding: bytes)
    return nil
  } catch { return error }
}

/// A message as lines of text: the header, the question, the records by section, EDNS.
func dump(_ message: DNSMessage) -> String {
  let bits: [(String, Bool)] = [
    ("qr", message.isResponse), ("aa", message.isAuthoritative), ("rd", message.recursionDesired),
    ("ra", message.recursionAvailable), ("ad", message.isAuthenticated), ("cd", message.checkingDisabled),
    ("op\(message.opcode)", message.opcode != 0), ("tc", message.isTruncated),
  ]
  var lines = [(["\(message.id)"] + bits.filter(\.1).map(\.0) + [message.code.name]).joined(separator: " ")]
  lines += message.questions.map { "? \($0.name.text) \($0.type.name)" }
  let sections = [
    ("answer", message.answers), ("authority", message.authorities), ("additional", message.additionals),
  ]
  for (name, records) in sections {
    for record in records {
      let words = [name, record.name.text, "\(record.timeToLive)", record.data.type.name] + words(record.data)
      lines.append(words.joined(separator: " "))
    }
  }
  if let edns = message.ednsExtension {
    let options = edns.options.map { "\($0.code)=" + hexText($0.bytes) }
    lines.append((["edns", "\(edns.payloadSize)", edns.wantsDNSSEC ? "do" : "-"] + options).joined(separator: " "))
  }
  return lines.joined(separator: "\n")
}

private func words(_ data: DNSRecordData) -> [String] {
  switch data {
  case .address(let address): [address.text]
  case .alias(let name), .nameServer(let name), .pointer(let name): [name.text]
  case .startOfAuthority(let soa):
    [soa.primaryServer.text, soa.mailbox.text]
      + [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].map { "\($0)" }
  case .service(let priority, let weight, let port, let target): ["\(priority)", "\(weight)", "\(port)", target.text]
  case .mailExchange(let preference, let exchange): ["\(preference)", exchange.text]
  case .text(let texts): texts.map { "=" + hexText($0) }
  case .other(_, let bytes): ["=" + hexText(bytes)]
  }
}
