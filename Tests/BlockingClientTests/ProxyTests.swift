// SPDX-License-Identifier: Apache-2.0

import Fault
import Testing

@testable import BlockingClient

@Suite struct ProxyRulesTests {
  func proxy(_ url: String, except exceptions: String = "", for host: String, port: UInt16 = 443) throws -> String? {
    try ProxyRules(proxy: url, exceptions: exceptions).proxy(host: host, port: port)?.text
  }

  @Test("capitals come before small letters, and an empty variable is none")
  func environment() throws {
    func chosen(_ variables: [String: String]) throws -> String? {
      try ProxyRules(environment: { variables[$0] }).proxy(host: "a.example", port: 1)?.text
    }
    #expect(try chosen(["HTTPS_PROXY": "big:1", "https_proxy": "small:2"]) == "big:1")
    #expect(try chosen(["HTTPS_PROXY": "", "https_proxy": "small:2"]) == "small:2")
    #expect(try chosen(["HTTP_PROXY": "other:3"]) == nil)
    #expect(try chosen(["HTTPS_PROXY": "big:1", "no_proxy": "example"]) == nil)
  }

  @Test(
    "loopback never goes through a proxy",
    arguments: ["localhost", "LOCALHOST.", "a.localhost", "127.9.9.9", "::1"])
  func loopback(host: String) throws { #expect(try proxy("p:1", for: host) == nil) }

  @Test(
    "NO_PROXY excepts names, networks, addresses and ports",
    arguments: [
      ("*", "any.example", true), ("example.com", "example.com", true), ("example.com", "a.b.example.com", true),
      ("example.com", "notexample.com", false), (".example.com", "example.com", false),
      (".example.com", "a.example.com", true), ("*.example.com", "a.example.com", true),
      ("*.example.com", "example.com", false), (" Example.COM , x", "EXAMPLE.com", true),
      ("example.com:443", "example.com", true), ("example.com:80", "example.com", false),
      ("10.0.0.0/8", "10.9.8.7", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/33", "10.0.0.1", false),
      ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.4", false), ("fd00::/8", "fd12::1", true),
      ("[fd00::1]:443", "fd00::1", true), ("fd00::1", "fd00::1", true), ("com", "example.com", true), ("", "a", false),
      ("0.0.0.0/0", "8.8.8.8", true),
    ])
  func exceptions(rule: String, host: String, isExcepted: Bool) throws {
    #expect(try (proxy("p:1", except: rule, for: host) == nil) == isExcepted)
  }

  @Test(
    "a proxy's URL may lack its scheme and its port",
    arguments: [
      ("http://p:3128", "p:3128"), ("p:3128", "p:3128"), ("HTTP://p", "p:80"), ("p", "p:80"), ("http://p:1/", "p:1"),
      ("http://u:x@p:1", "p:1"), ("http://[::1]:5", "[::1]:5"), ("http://[::1]", "[::1]:80"),
    ])
  func urls(url: String, text: String) throws { #expect(try proxy(url, for: "a.example") == text) }

  @Test("credentials are percent-decoded, and may hold an at sign")
  func credentials() throws {
    let found = try ProxyRules(proxy: "http://us%65r:p%40ss@x@p:1", exceptions: "").proxy(host: "a.example", port: 1)
    #expect(found?.credentials == Array("user:p@ss@x".utf8))
  }

  @Test(
    "a URL that is no usable proxy is a fault that does not tell its password",
    arguments: [
      "https://user:secret@p:1", "socks5://p:1", "http://user:secret@", "http://:80", "p:99999",
      "http://user:secret@p:x",
    ])
  func refusals(url: String) {
    do throws(Fault) {
      _ = try ProxyRules(proxy: url, exceptions: "").proxy(host: "a.example", port: 1)
      Issue.record("\(url) was taken for a proxy")
    } catch {
      #expect(error.code == .badProxy)
      #expect(!error.reason.contains("secret"))
    }
  }
}

@Suite struct ProxyTunnelTests {
  func tunnel(_ url: String = "http://u:p@proxy:1") throws -> ProxyTunnel {
    let proxy = try #require(try ProxyRules(proxy: url, exceptions: "").proxy(host: "a.example", port: 1))
    return ProxyTunnel(proxy, target: "a.example:1", userAgent: "probe sonde/1")
  }

  @Test("the request has the fields of gRPC's Go implementation in its order")
  func request() throws {
    #expect(
      String(decoding: try tunnel().request, as: UTF8.self)
        == "CONNECT a.example:1 HTTP/1.1\r\nHost: a.example:1\r\nUser-Agent: probe sonde/1\r\n"
        + "Proxy-Authorization: Basic dTpw\r\n\r\n")
  }

  @Test("success opens the tunnel, and what follows in the same bytes is the target's", arguments: [1, 7, 1000])
  func success(size: Int) throws {
    var tunnel = try tunnel()
    let bytes = Array("HTTP/1.1 200 Connection established\r\nX: y\r\n\r\nearly".utf8)
    var early: [UInt8]?
    var position = 0
    while position < bytes.count, early == nil {
      let end = min(position + size, bytes.count)
      early = try tunnel.receive(Array(bytes[position..<end]))
      position = end
    }
    let rest = try #require(early) + bytes[position...]
    #expect(rest == Array("early".utf8))
  }

  @Test(
    "everything else is a fault that says what the proxy said",
    arguments: [
      ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", FaultCode.proxyRefused, "407 Proxy"),
      ("HTTP/1.0 403 Forbidden\n\n", .proxyRefused, "403"), ("HTTP/1.1 502 Bad Gateway\r\n\r\n", .proxyFailed, "502"),
      ("SSH-2.0-OpenSSH\r\n", .proxyFailed, "SSH-2.0"), ("HTTP/1.1 abc\r\n\r\n", .proxyFailed, "no HTTP"),
      ("\r\n\r\n", .proxyFailed, "no HTTP"),
    ])
  func refusals(answer: String, code: FaultCode, words: String) throws {
    var tunnel = try tunnel()
    do throws(Fault) {
      _ = try tunnel.receive(Array(answer.utf8))
      Issue.record("the answer was taken for a tunnel")
    } catch {
      #expect(error.code == code)
      #expect(error.reason.contains(words))
    }
  }

  @Test("an endless header ends at its limit")
  func endless() throws {
    var tunnel = try tunnel()
    var fault: Fault?
    do throws(Fault) {
      _ = try tunnel.receive(Array("HTTP/1.1 200 OK\r\n".utf8))
      for _ in 0..<10_000 { _ = try tunnel.receive(Array("X: y\r\n".utf8)) }
    } catch { fault = error }
    #expect(fault?.code == .proxyFailed)
  }
}
