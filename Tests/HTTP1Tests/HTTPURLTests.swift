// SPDX-License-Identifier: Apache-2.0

import HTTP1
import TestSupport
import Testing

@Suite struct HTTPURLTests {
  @Test("a URL comes apart")
  func parts() throws {
    let url = try HTTPURL("HTTPS://User:p%40ss@Example.com:8443/a/b?c=d%20e&f#fragment")
    #expect(url.isSecure && url.host == "Example.com" && url.port == 8443)
    #expect(url.target == "/a/b?c=d%20e&f" && url.authority == "Example.com:8443")
    #expect(url.credentials == Array("User:p@ss".utf8))
    #expect(url.text == "https://Example.com:8443/a/b?c=d%20e&f")
  }

  @Test(
    "the scheme's port and the empty path are added and left out where they belong",
    arguments: [
      ("http://a", "a", "/", 80), ("https://a", "a", "/", 443), ("http://a:80/", "a", "/", 80),
      ("http://a:443/", "a:443", "/", 443), ("http://a?b", "a", "/?b", 80), ("http://a#b", "a", "/", 80),
      ("http://[::1]:8080/x", "[::1]:8080", "/x", 8080), ("http://[::1]", "[::1]", "/", 80),
      ("http://a_b-c.d/", "a_b-c.d", "/", 80), ("http://me@a/", "a", "/", 80),
    ] as [(String, String, String, UInt16)])
  func forms(text: String, authority: String, target: String, port: UInt16) throws {
    let url = try HTTPURL(text)
    #expect(url.authority == authority && url.target == target && url.port == port)
  }

  @Test("credentials without a password have an empty one")
  func credentials() throws {
    #expect(try HTTPURL("http://me@a/").credentials == Array("me:".utf8))
    #expect(try HTTPURL("http://a/").credentials == nil)
  }

  @Test(
    "what is not allowed where it stands is refused",
    arguments: [
      ("", .badScheme), ("a:80", .badScheme), ("ftp://a", .badScheme), ("http:/a", .badScheme), ("http://", .badHost),
      ("http:///x", .badHost), ("http://:80/", .badHost), ("http://a b/", .badHost), ("http://a%20b/", .badHost),
      ("http://ä/", .badHost), ("http://a\r\nb/", .badHost), ("http://x@y@z/", .badHost), ("http://[::1/", .badHost),
      ("http://[a]/", .badHost), ("http://[]/", .badHost), ("http://[::1%25lo]/", .badHost), ("http://a:/", .badPort),
      ("http://a:0/", .badPort), ("http://a:65536/", .badPort), ("http://a:+1/", .badPort),
      ("http://[::1]x/", .badPort), ("http://a/ b", .badTarget), ("http://a/\u{7F}", .badTarget),
      ("http://a/%2", .badTarget), ("http://a/%zz", .badTarget), ("http://a/\\", .badTarget),
      ("http://a/?\r\nX: y", .badTarget), ("http://a/é", .badTarget), ("http://a/\"", .badTarget),
    ] as [(String, HTTPURLError)])
  func refused(text: String, error: HTTPURLError) {
    #expect(throws: error) { try HTTPURL(text) }
  }

  @Test("a URL has a bound")
  func bound() throws {
    let room = HTTPURL.maxLength - "http://a/".utf8.count
    _ = try HTTPURL("http://a/" + String(repeating: "x", count: room))
    #expect(throws: HTTPURLError.tooLong) { try HTTPURL("http://a/" + String(repeating: "x", count: room + 1)) }
  }

  @Test("any bytes are a URL that reads the same again, or an error")
  func random() throws {
    var generator = SeededGenerator(7)
    let letters = Array("htps://a@b:[]?#%20é\r\n\\x81.".unicodeScalars)
    for _ in 0..<20_000 {
      var text = Bool.random(using: &generator) ? "http://" : ""
      for _ in 0..<Int.random(in: 0..<24, using: &generator) {
        text.unicodeScalars.append(letters.randomElement(using: &generator) ?? "x")
      }
      guard let url = try? HTTPURL(text) else { continue }
      let again = try HTTPURL(url.text)
      #expect(again.text == url.text)
      #expect(again.port == url.port)
      let isPrintable = url.text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
      #expect(isPrintable)
    }
  }

  @Test("a request with a body says how long it is")
  func bodies() throws {
    let request = try HTTP1Request(method: "POST", target: "/", fields: [HTTP1Field("A", "b")], body: [0x78, 0x79])
    #expect(
      String(decoding: request.encoded, as: UTF8.self) == "POST / HTTP/1.1\r\nA: b\r\nContent-Length: 2\r\n\r\nxy")
  }
}
