// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import TLS

@Suite struct PEMTests {
  private func labels(_ text: String) -> [String] {
    var scan = PEM(Array(text.utf8))
    var labels: [String] = []
    while let block = scan.next() { labels.append(block.label) }
    return labels
  }

  private func decoded(_ text: String) -> [[UInt8]] { PEM.certificates(in: Array(text.utf8)) }

  @Test("blocks are found between comments, with every line ending, and without one at the end")
  func blocks() {
    #expect(decoded("# root\n-----BEGIN CERTIFICATE-----\nAQID\nBAU=\n-----END CERTIFICATE-----") == [[1, 2, 3, 4, 5]])
    #expect(
      decoded("-----BEGIN CERTIFICATE-----\r\nAQID\r\nBAU=\r\n-----END CERTIFICATE-----\r\n") == [[1, 2, 3, 4, 5]])
    #expect(decoded("-----BEGIN CERTIFICATE-----\rAQID\r-----END CERTIFICATE-----\r") == [[1, 2, 3]])
    #expect(decoded("-----BEGIN CERTIFICATE-----\n  AQ ID\t\n\n-----END CERTIFICATE-----\n") == [[1, 2, 3]])
    #expect(decoded("") == [])
    #expect(decoded("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n") == [[]])
  }

  @Test("a broken block costs itself alone")
  func brokenBlocks() {
    let good = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"
    for broken in [
      "-----BEGIN CERTIFICATE-----\nAQ!D\n-----END CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\nAQIDBA\n-----END X-----\n",
      "-----BEGIN CERTIFICATE-----\nAQID====\n-----END CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\nAQ==AQ==\n-----END CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\nAQID\n",
      "-----BEGIN CERTIFICATE----\nAQID\n-----END CERTIFICATE-----\n",
      "-----BEGIN -----\nAQID\n-----END -----\n",
      "-----END CERTIFICATE-----\n", "-----\n", "----------\n", "-----BEGIN \n",
      "x-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\nAQIDB\n-----END CERTIFICATE-----\n",
    ] { #expect(decoded(good + broken + good) == [[1, 2, 3], [1, 2, 3]], "\(broken)") }
    #expect(decoded(good + "-----BEGIN CERTIFICATE-----\nAQID\n") == [[1, 2, 3]])
    #expect(decoded(good + "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERT") == [[1, 2, 3]])
  }

  @Test("other labels are kept apart")
  func otherLabels() {
    let text = "-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n-----BEGIN A-----\nAQ==\n-----END A-----\n"
    #expect(labels(text) == ["X509 CRL", "A"])
    #expect(decoded(text) == [])
  }

  @Test("the header of an old-style key is no part of its bytes")
  func headers() throws {
    var scan = PEM(Array("-----BEGIN K-----\nProc-Type: 4,CLEAR\nX: y\n z\n\nAQID\n-----END K-----\n".utf8))
    let next = scan.next()
    let block = try #require(next)
    #expect(scan.decode(block) == [1, 2, 3])
    #expect(!scan.isEncrypted(block))
  }

  @Test("a body beyond the limit is skipped, one below it is read")
  func limit() {
    func text(_ symbols: Int) -> String {
      "-----BEGIN CERTIFICATE-----\n" + String(repeating: "A", count: symbols) + "\n-----END CERTIFICATE-----\n"
    }
    #expect(decoded(text(PEM.maximumBody)).isEmpty)
    #expect(decoded(text(PEM.maximumBody - 4)).first?.count == (PEM.maximumBody - 4) / 4 * 3)
    #expect(decoded(text(PEM.maximumBody) + text(4)) == [[0, 0, 0]])
  }

  @Test("the head of a block is its first bytes, wherever lines break")
  func head() throws {
    let bytes = (0..<200).map { UInt8($0) }
    var coded = Base64.encode(bytes.span, padded: true)
    var lines: [Substring] = []
    while !coded.isEmpty {
      lines.append(coded.prefix(13))
      coded = String(coded.dropFirst(13))
    }
    var scan = PEM(Array(("-----BEGIN X-----\n" + lines.joined(separator: "\n") + "\n-----END X-----").utf8))
    let next = scan.next()
    let block = try #require(next)
    for count in [1, 2, 3, 50, 199, 200, 201, Int.max] {
      let head = try #require(scan.decode(block, atLeast: count))
      #expect(head.count >= min(count, bytes.count))
      #expect(bytes.starts(with: head))
    }
  }

  @Test("changes anywhere never trap, and never yield a block outside the text")
  func mutations() throws {
    let original = try Certificates.read("full-chain.pem") + Certificates.read("server.key")
    var generator = SeededGenerator(7)
    let spice = Array("-----BEGIN END CERTIFICATE\n\r: =Aa0".utf8)
    for _ in 0..<500 {
      var text = original
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let position = Int.random(in: 0..<text.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: text[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: text.remove(at: position)
        case 2:
          let start = Int.random(in: 0..<spice.count, using: &generator)
          text.insert(contentsOf: spice[start...], at: position)
        default: text.removeSubrange(position..<min(text.count, position + 40))
        }
        if text.isEmpty { break }
      }
      var scan = PEM(text)
      var last = 0
      while let block = scan.next() {
        #expect(block.body.lowerBound >= last && block.body.upperBound <= text.count)
        last = block.body.upperBound
        _ = scan.isEncrypted(block)
        if let der = scan.decode(block) { _ = CertificateFacts(der: der) }
      }
    }
  }

  @Test("a text of nothing but beginnings is read in one pass")
  func manyBeginnings() {
    let text = String(repeating: "-----BEGIN CERTIFICATE-----\n", count: 20_000)
    #expect(labels(text).isEmpty)
    #expect(labels(String(repeating: "-", count: 500_000)).isEmpty)
    #expect(labels(String(repeating: "-----\n", count: 100_000)).isEmpty)
  }

  @Test("a file is a bundle if one certificate in it can be parsed")
  func holdsCertificate() throws {
    #expect(PEM.holdsCertificate(try Certificates.read("ca.pem")))
    #expect(!PEM.holdsCertificate(try Certificates.read("ca.key")))
    #expect(!PEM.holdsCertificate([]))
    let broken = Array("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n".utf8)
    #expect(!PEM.holdsCertificate(broken))
    #expect(PEM.holdsCertificate(try broken + Certificates.read("ca.pem")))
  }
}
