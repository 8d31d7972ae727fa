// SPDX-License-Identifier: Apache-2.0

import Sniff
import TLS
import TestSupport
import Testing

/// The greeting of a MySQL server: length, number 0, protocol 10, version.
private let mysqlGreeting: [UInt8] =
  [0x4A, 0, 0, 0, 10] + Array("8.0.36".utf8) + [0] + [UInt8](repeating: 0x31, count: 0x4A - 8)
/// MySQL's refusal of one client too many: length, number 0, error 1040.
private let mysqlRefusal: [UInt8] = [0x17, 0, 0, 0, 0xFF, 0x10, 0x04] + Array("Too many connections".utf8)
/// An ErrorResponse of PostgreSQL.
private let postgresError: [UInt8] = {
  let fields = Array("SFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 8307.8256\0\0".utf8)
  return [0x45, 0, 0, 0, UInt8(fields.count + 4)] + fields
}()

private func tls(_ version: UInt16 = 0x0303, _ alert: Speech.Alert? = nil) -> Speech {
  .tls(version: TLSVersion(version), alert: alert)
}

/// What peers say first, and what that tells.
private let speeches: [(bytes: [UInt8], speech: Speech)] = [
  ([0, 0, 0x18, 4, 0, 0, 0, 0, 0, 0, 4], .http2(settingsLength: 24)),
  ([0, 0, 0, 4, 0, 0, 0, 0, 0], .http2(settingsLength: 0)),
  ([0x15, 3, 1, 0, 2, 2, 70], tls(0x0301, .init(isFatal: true, TLSAlert(70)))),
  ([0x15, 3, 3, 0, 2, 1, 0], tls(0x0303, .init(isFatal: false, TLSAlert(0)))),
  ([0x15, 3, 3, 0, 26, 1, 2, 3], tls()), ([0x16, 3, 3, 0, 80, 2, 0], tls()), ([0x17, 3, 3, 0, 80], tls()),
  ([0x16, 3, 1, 2, 0, 1, 0, 1], .echo), (Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), .echo),
  (Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8), .echo),
  (Array("HTTP/1.1 404 Not Found\r\nX: y".utf8), .http1("HTTP/1.1 404 Not Found", status: 404)),
  (Array("HTTP/1.1 odd\r\n".utf8), .http1("HTTP/1.1 odd", status: nil)),
  (Array("<!DOCTYPE HTML PUBLIC>\n<html>".utf8), .http1("<!DOCTYPE HTML PUBLIC>", status: nil)),
  (Array("<html>\n".utf8), .http1("<html>", status: nil)),
  (Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), .ssh("SSH-2.0-OpenSSH_9.2")),
  (Array("220 mail.example ESMTP Postfix\r\n".utf8), .smtp("220 mail.example ESMTP Postfix")),
  (Array("220-ProFTPD ready\r\n".utf8), .ftp("220-ProFTPD ready")), (Array("220 hello\r\n".utf8), .text("220 hello")),
  (Array("-ERR unknown command 'PRI'\r\n".utf8), .redis("-ERR unknown command 'PRI'")),
  (Array("-DENIED Redis is running in protected mode\r\n".utf8), .redis("-DENIED Redis is running in protected mode")),
  (Array("-ERR too many mailboxes\r\n".utf8), .text("-ERR too many mailboxes")),
  (Array("ERROR\r\n".utf8), .text("ERROR")),
  (Array("Grüß Gott\n".utf8), .text("Grüß Gott")), (mysqlGreeting, .mysql("8.0.36")),
  (mysqlRefusal, .mysql("Too many connections")),
  (postgresError, .postgresql("unsupported frontend protocol 8307.8256")),
]

/// Bytes of no known kind.
private let unknown: [(bytes: [UInt8], hex: String)] = [
  ([0xFF, 0xFE, 0, 1], "fffe0001"), ([0x15, 3, 9, 0, 2], "1503090002"),
  ([0, 0, 0, 4, 1, 0, 0, 0, 0], "000000040100000000"),
  ([0, 0, 0, 4, 0, 0, 0, 0, 1], "000000040000000001"), ([0, 0, 5, 4, 0, 0, 0, 0, 0], "000005040000000000"), ([0], "00"),
  ([0x15, 3], "1503"), (Array("ab".utf8), "6162"), ([0x61, 0x62, 0x63, 0xFF, 0x0A], "616263ff0a"),
  ([UInt8](repeating: 0, count: 100), String(repeating: "00", count: 16)),
]

@Suite struct SniffTests {
  @Test("first bytes tell what a peer speaks", arguments: speeches)
  func recognition(bytes: [UInt8], speech: Speech) { #expect(Speech(bytes) == speech) }

  @Test("what has no known kind is shown in hexadecimal", arguments: unknown)
  func binary(bytes: [UInt8], hex: String) { #expect(Speech(bytes) == .binary(hex)) }

  @Test("no bytes are nothing, however that ended", arguments: Ending.allCases)
  func nothing(ending: Ending) { #expect(Sniffer(after: .nothing).finding(at: ending).speech == .nothing) }

  @Test("whatever piece comes first, the verdict on all of it does not change", arguments: speeches)
  func increments(bytes: [UInt8], speech: Speech) {
    var sniffer = Sniffer(after: .http2)
    var found: Speech?
    for byte in bytes {
      let finding = sniffer.receive([byte].span)
      if let found { #expect(finding?.speech == found) }
      found = finding?.speech
    }
    #expect(found == speech)
    #expect(sniffer.finding(at: .closed).speech == speech)
  }

  @Test("a verdict waits for the bytes that decide")
  func waiting() {
    func early(_ bytes: [UInt8]) -> Speech? {
      var sniffer = Sniffer(after: .nothing)
      return sniffer.receive(bytes.span)?.speech
    }
    #expect(early([]) == nil)
    #expect(early([0x15, 3, 3, 0, 2, 2]) == nil)
    #expect(early([0, 0, 0x18, 4, 0, 0, 0, 0]) == nil)
    #expect(early(Array("SSH-2.0-Open".utf8)) == nil)
    #expect(early(Array("HTTP/1.1 400 Bad Request\r\n".utf8)) == nil)
    #expect(early([0x1F]) == nil)
    #expect(early([0xFF] + [UInt8](repeating: 0, count: 14)) == nil)
    #expect(early([0xFF] + [UInt8](repeating: 0, count: 15)) == .binary("ff" + String(repeating: "00", count: 15)))
    // What never ends a line is not waited for without end.
    #expect(early([UInt8](repeating: 0x61, count: Speech.bytesSeen)) == .text(String(repeating: "a", count: 60)))
  }

  @Test(
    "a server of TLS that answers in plain text is one of TLS",
    arguments: [
      "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
      "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>",
      "HTTP/1.1 400 Bad Request\r\n\r\nYou're speaking plain HTTP to an SSL-enabled server port.<br />",
    ])
  func wantsTLS(text: String) {
    var sniffer = Sniffer(after: .http1)
    let speech = sniffer.receive(Array(text.utf8).span)?.speech
    #expect(speech == .tlsWanted(text.split(separator: "\r\n").first.map(String.init) ?? ""))
    #expect(speech?.word == "tls")
  }

  @Test("any other refusal in HTTP is HTTP, once no more comes")
  func plainRefusal() {
    var sniffer = Sniffer(after: .http2)
    #expect(sniffer.receive(Array("HTTP/1.1 400 Bad Request\r\n\r\nno".utf8).span) == nil)
    #expect(sniffer.finding(at: .closed).speech == .http1("HTTP/1.1 400 Bad Request", status: 400))
  }

  @Test(
    "a finding is a word and a sentence",
    arguments: [
      (
        .http2(settingsLength: 24), .open, "http2",
        "speaks HTTP/2 in the clear: its first frame is SETTINGS of 24 bytes"
      ),
      (
        tls(0x0303, .init(isFatal: true, TLSAlert(70))), .closed, "tls",
        "speaks TLS: it answered with the fatal alert protocol_version"
      ),
      (tls(), .open, "tls", "speaks TLS: it answered with a record of TLS 1.2"),
      (
        .http1("HTTP/1.1 404 Not Found", status: 404), .open, "http1",
        #"speaks HTTP/1.x: it said "HTTP/1.1 404 Not Found""#
      ),
      (.text("\u{1B}[2J"), .silence, "text", #"speaks no protocol that is known here: it said "\x1b[2J""#),
      (.binary("00ff"), .silence, "binary", "speaks no protocol that is known here: its first bytes are 00ff"),
      (
        .nothing, .closed, "nothing",
        "closes the connection without a word on the opening of HTTP/2: it may speak TLS, or refuse this client"
      ),
      (.nothing, .silence, "nothing", "does not answer the opening of HTTP/2: it hangs, or waits for something else"),
    ] as [(Speech, Ending, String, String)])
  func words(speech: Speech, ending: Ending, word: String, sentence: String) {
    let finding = Finding(speech, after: .http2, ending: ending)
    #expect(finding.speech.word == word)
    #expect(finding.sentence == sentence)
  }

  @Test("silence means different things by what was said before")
  func silences() {
    let sentences = Opening.allCases.flatMap { opening in
      [Ending.silence, .closed, .reset].map { Finding(.nothing, after: opening, ending: $0).sentence }
    }
    #expect(Set(sentences).count == sentences.count)
  }

  @Test("random first bytes are judged, shortly and safely, and alike in one piece or many")
  func randomBytes() {
    var random = SeededGenerator(9)
    for _ in 0..<10_000 {
      var bytes = (speeches.randomElement(using: &random)?.bytes ?? []).prefix(Int.random(in: 0...40, using: &random))
      if !bytes.isEmpty {
        bytes[bytes.indices.randomElement(using: &random) ?? 0] = UInt8.random(in: 0...255, using: &random)
      }
      var sniffer = Sniffer(after: .tls)
      var early: Finding?
      for byte in bytes where early == nil { early = sniffer.receive([byte].span) }
      if let early { #expect(early.speech == Speech(Array(bytes)), "\(bytes)") }
      let sentence = sniffer.finding(at: .silence).sentence
      #expect(sentence.utf8.count < 400 && sentence.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }
  }
}
