// SPDX-License-Identifier: Apache-2.0

import HTTP1
import TestSupport
import Testing

/// The events of a response that comes in pieces of a size, with the bodies between other events joined.
func events(
  _ bytes: [UInt8], method: String = "GET", limits: HTTP1Limits = HTTP1Limits(), size: Int = .max, ends: Bool = false
) -> [HTTP1Event] {
  var parser = HTTP1ResponseParser(method: method, limits: limits)
  var events: [HTTP1Event] = []
  func drain() {
    while let event = parser.nextEvent() {
      if case .body(let bytes) = event, case .body(let before)? = events.last {
        events[events.count - 1] = .body(before + bytes)
      } else {
        events.append(event)
      }
    }
  }
  var start = 0
  while start < bytes.count {
    let end = start + min(size, bytes.count - start)
    parser.receive(bytes.span.extracting(start..<end))
    start = end
    drain()
  }
  if ends { parser.receiveEnd() }
  drain()
  return events
}

private func events(_ text: String, method: String = "GET", ends: Bool = false) -> [HTTP1Event] {
  let bytes = Array(text.utf8)
  let whole = events(bytes, method: method, ends: ends)
  for size in [1, 2, 7] { #expect(events(bytes, method: method, size: size, ends: ends) == whole, "cuts of \(size)") }
  return whole
}

private func failure(_ events: [HTTP1Event]) -> HTTP1Error? {
  if case .failed(let error)? = events.last { error } else { nil }
}

private func head(_ status: Int = 200, _ reason: String = "OK", _ fields: [HTTP1Field] = []) -> HTTP1Event {
  .head(HTTP1Head(status: status, reason: reason, fields: fields))
}

private func body(_ text: String) -> HTTP1Event { .body(Array(text.utf8)) }

@Suite struct HTTP1ResponseTests {
  @Test("a body has the length that was announced")
  func contentLength() {
    #expect(
      events("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b c\t\r\n\r\nhello")
        == [head(200, "OK", [.init("Content-Length", "5"), .init("X-A", "b c")]), body("hello"), .end(trailers: [])])
    #expect(
      events("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        == [head(200, "OK", [.init("content-length", "0")]), .end(trailers: [])])
  }

  @Test("a body comes in chunks, with extensions and trailers")
  func chunked() {
    #expect(
      events(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
          + "5\r\nhello\r\n00001 ; a=b\r\n \r\nA\r\n0123456789\r\n0;end\r\nX-Sum: 1\r\nY:\r\n\r\n")
        == [
          head(200, "OK", [.init("Transfer-Encoding", "Chunked")]), body("hello 0123456789"),
          .end(trailers: [.init("X-Sum", "1"), .init("Y", "")]),
        ])
  }

  @Test("a body without a length ends with the connection")
  func untilClose() {
    let text = "HTTP/1.0 200 OK\r\n\r\nall\r\nof it"
    let old = HTTP1Event.head(HTTP1Head(minorVersion: 0, status: 200, reason: "OK", fields: []))
    #expect(events(text) == [old, body("all\r\nof it")])
    #expect(events(text, ends: true) == [old, body("all\r\nof it"), .end(trailers: [])])
  }

  @Test(
    "some responses have no body, whatever they announce",
    arguments: [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 101), ("CONNECT", 200)])
  func noBody(method: String, status: Int) {
    var parser = HTTP1ResponseParser(method: method)
    parser.receive(Array("HTTP/1.1 \(status) X\r\nContent-Length: 5\r\n\r\nhel".utf8).span)
    #expect(parser.nextEvent() == head(status, "X", [.init("Content-Length", "5")]))
    #expect(parser.nextEvent() == .end(trailers: []))
    #expect(parser.nextEvent() == nil)
    #expect(parser.isFinished && parser.surplusByteCount == 3)
    parser.receive(([1, 2] as [UInt8]).span)
    #expect(parser.surplusByteCount == 5)
  }

  @Test("interim responses come before the response")
  func interim() {
    #expect(
      events(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: a\r\n\r\n"
          + "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx"
      )
        == [
          head(100, "Continue"), head(103, "", [.init("Link", "a")]),
          head(404, "Not Found", [.init("Content-Length", "1")]), body("x"), .end(trailers: []),
        ])
  }

  @Test("lines of a head may end with a line feed alone; a reason may be missing or be any bytes")
  func lenience() {
    #expect(events("HTTP/1.1 204\nA: b\n\n") == [head(204, "", [.init("A", "b")]), .end(trailers: [])])
    #expect(events("HTTP/1.1 204 \r\n\r\n") == [head(204, ""), .end(trailers: [])])
    let odd = Array("HTTP/1.1 204 Gr".utf8) + [0xFC] + Array("n\r\nA: ".utf8) + [0xFF] + Array("\r\n\r\n".utf8)
    guard case .head(let head)? = events(odd).first else {
      Issue.record("no head")
      return
    }
    #expect(head.reason.unicodeScalars.map(\.value) == [0x47, 0x72, 0x10_FFFC, 0x6E])
    #expect(head.fields.first("a")?.unicodeScalars.map(\.value) == [0x10_FFFF])
  }

  @Test(
    "what is no response is refused by name",
    arguments: [
      ("HTTP/2.0 200 OK\r\n", .badVersion), ("HTTP/0.9 200 OK\r\n", .badVersion),
      ("HTTP/1.1 20 OK\r\n", .badStatusLine),
      ("HTTP/1.1 2000 OK\r\n", .badStatusLine), ("HTTP/1.1 099 OK\r\n", .badStatusLine),
      ("HTTP/1.1  200 OK\r\n", .badStatusLine),
      ("HTTP/1.10 200 OK\r\n", .badStatusLine), ("SSH-2.0-OpenSSH_9\r\n", .badStatusLine), ("\r\n", .badStatusLine),
      ("http/1.1 200 OK\r\n", .badStatusLine), ("HTTP/1.1 200 O\u{0}K\r\n", .badStatusLine),
      ("HTTP/1.1 200 O\rK\r\n", .badStatusLine),
      ("HTTP/1.1 200 OK\r\nno field\r\n", .badField), ("HTTP/1.1 200 OK\r\n: a\r\n", .badField),
      ("HTTP/1.1 200 OK\r\nA : b\r\n", .badField), ("HTTP/1.1 200 OK\r\nA: b\u{1}\r\n", .badField),
      ("HTTP/1.1 200 OK\r\nA: b\rc\r\n", .badField),
      ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", .foldedField), ("HTTP/1.1 200 OK\r\n A: b\r\n", .foldedField),
    ] as [(String, HTTP1Error.Code)])
  func badHeads(text: String, code: HTTP1Error.Code) {
    let events = events(text)
    #expect(failure(events)?.code == code)
    #expect(events.count == 1)
  }

  @Test(
    "a body's length must be beyond doubt",
    arguments: [
      ("Content-Length: 5\r\nContent-Length: 5", .badContentLength), ("Content-Length: 5, 5", .badContentLength),
      ("Content-Length: -1", .badContentLength), ("Content-Length: +5", .badContentLength),
      ("Content-Length:", .badContentLength),
      ("Content-Length: 0x5", .badContentLength), ("Content-Length: 9223372036854775808", .badContentLength),
      ("Content-Length: 5\r\nTransfer-Encoding: chunked", .conflictingLengths),
      ("Transfer-Encoding: gzip, chunked", .badTransferEncoding), ("Transfer-Encoding: identity", .badTransferEncoding),
      ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .badTransferEncoding),
    ] as [(String, HTTP1Error.Code)])
  func badLengths(fields: String, code: HTTP1Error.Code) {
    #expect(events("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n").map { failure([$0])?.code } == [code])
  }

  @Test("chunks are no matter of HTTP/1.0")
  func oldChunks() {
    #expect(failure(events("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))?.code == .badTransferEncoding)
  }

  @Test(
    "chunks that are none are refused",
    arguments: [
      ("\r\n", .badChunk), ("g\r\n", .badChunk), ("-1\r\n", .badChunk), ("5\n", .badChunk), ("5 x\r\n", .badChunk),
      ("1\r\nab\r\n", .badChunk), ("1\r\na\n", .badChunk), ("1\r\na\rb", .badChunk), ("5;\u{1}\r\n", .badChunk),
      ("8000000000000000\r\n", .chunkTooLarge), ("FFFFFFFFFFFFFFFFF\r\n", .chunkTooLarge), ("0\r\nbad\r\n", .badField),
      ("0\r\n a: b\r\n", .foldedField),
    ] as [(String, HTTP1Error.Code)])
  func badChunks(text: String, code: HTTP1Error.Code) {
    #expect(failure(events("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text))?.code == code)
  }

  @Test("the largest chunk that can be counted is awaited")
  func largestChunk() {
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\nab"
    #expect(events(text).last == body("ab"))
  }

  @Test(
    "an early end is told by where it came",
    arguments: [
      ("", .noResponse), ("H", .endedInHead), ("HTTP/1.1 200 OK\r\n", .endedInHead),
      ("HTTP/1.1 100 A\r\n\r\n", .endedInHead),
      ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .endedInBody),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .endedInBody),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na", .endedInBody),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab", .endedInBody),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", .endedInBody),
    ] as [(String, HTTP1Error.Code)])
  func earlyEnds(text: String, code: HTTP1Error.Code) {
    #expect(failure(events(text))?.code == nil)
    let error = failure(events(text, ends: true))
    #expect(error?.code == code)
    #expect(error?.offset == text.utf8.count)
  }

  @Test("nothing follows the end or a failure")
  func silenceAfterwards() {
    for text in ["HTTP/1.1 204 A\r\n\r\n", "x\n"] {
      let once = events(text)
      #expect(events(text + "HTTP/1.1 200 OK\r\n\r\n", ends: true) == once)
    }
  }

  @Test("each limit is kept to the byte, and exceeded by one more")
  func limits() {
    var limits = HTTP1Limits()
    limits.lineLength = 30
    limits.fieldCount = 2
    limits.headLength = 60
    limits.interimCount = 2
    func code(_ text: String) -> HTTP1Error.Code? { failure(events(Array(text.utf8), limits: limits))?.code }
    let status = "HTTP/1.1 200 OK\r\n"
    #expect(code(status + "A: " + String(repeating: "b", count: 26) + "\r\n") == nil)
    #expect(code(status + "A: " + String(repeating: "b", count: 28) + "\r\n") == .lineTooLong)
    #expect(code(status + "A: b\r\nB: c\r\n\r\n") == nil)
    #expect(code(status + "A: b\r\nB: c\r\nC: d\r\n") == .tooManyFields)
    #expect(code(status + "A: " + String(repeating: "b", count: 20) + "\r\nB: cdefghijklmno\r\n") == nil)
    #expect(code(status + "A: " + String(repeating: "b", count: 20) + "\r\nB: cdefghijklmnop\r\n") == .headTooLarge)
    #expect(code(String(repeating: "HTTP/1.1 100 A\r\n\r\n", count: 2)) == nil)
    #expect(code(String(repeating: "HTTP/1.1 100 A\r\n\r\n", count: 3)) == .tooManyInterim)
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(code(chunked + "1;" + String(repeating: "b", count: 40)) == .lineTooLong)
    #expect(code(chunked + String(repeating: "1\r\na\r\n", count: 100)) == nil)
    #expect(code(chunked + "0\r\nA: b\r\nB: c\r\nC: d\r\n") == .tooManyFields)
  }

  @Test("a hundred thousand small chunks are one event while nobody asks")
  func smallChunks() {
    var parser = HTTP1ResponseParser()
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: "1\r\na\r\n", count: 100_000)
    parser.receive(Array(text.utf8).span)
    _ = parser.nextEvent()
    #expect(parser.nextEvent() == .body([UInt8](repeating: 0x61, count: 100_000)))
    #expect(parser.nextEvent() == nil)
  }

  @Test("bytes changed by chance give the same events however they are cut, and one end at most")
  func mutations() {
    var random = SeededGenerator(8)
    let seeds = [
      "HTTP/1.1 100 A\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    ].map { Array($0.utf8) }
    var failures = 0
    for _ in 0..<5_000 {
      var bytes = seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...127, using: &random)
      }
      let whole = events(bytes, ends: true)
      #expect(events(bytes, size: Int.random(in: 1...9, using: &random), ends: true) == whole)
      let ends = whole.filter { event in
        switch event {
        case .end, .failed: true
        default: false
        }
      }
      #expect(ends.count == 1)
      if failure(whole) != nil { failures += 1 }
    }
    #expect((500..<5_000).contains(failures))
  }
}

@Suite struct HTTP1RequestTests {
  private func failure(method: String = "GET", target: String = "/", _ fields: [HTTP1Field] = []) -> HTTP1RequestError?
  {
    do throws(HTTP1RequestError) {
      _ = try HTTP1Request(method: method, target: target, fields: fields)
      return nil
    } catch { return error }
  }

  @Test("a request is its line, its fields and an empty line")
  func writing() throws {
    let request = try HTTP1Request(
      method: "HEAD", target: "/a?b=%20", fields: [.init("Host", "x:80"), .init("X-Empty", ""), .init("X", "a\tb é")])
    #expect(
      request.encoded == Array("HEAD /a?b=%20 HTTP/1.1\r\nHost: x:80\r\nX-Empty: \r\nX: a\tb é\r\n\r\n".utf8))
  }

  @Test("nothing that is given ends a line, or stands for something else")
  func injection() {
    for bad in ["\r", "\n", "\r\nX: y", "\u{0}", "\u{7F}"] {
      #expect(failure([.init("A", "b" + bad)]) == .badFieldValue("A"))
      #expect(failure([.init("A" + bad, "b")]) == .badFieldName("A" + bad))
      #expect(failure(target: "/" + bad) == .badTarget("/" + bad))
      #expect(failure(method: "GET" + bad) == .badMethod("GET" + bad))
    }
    #expect(failure(method: "") == .badMethod(""))
    #expect(failure(method: "G ET") == .badMethod("G ET"))
    #expect(failure(target: "") == .badTarget(""))
    #expect(failure(target: "/a b") == .badTarget("/a b"))
    #expect(failure(target: "/é") == .badTarget("/é"))
    #expect(failure([.init("", "b")]) == .badFieldName(""))
    #expect(failure([.init("A:", "b")]) == .badFieldName("A:"))
    #expect(failure([.init("A", "b")]) == nil)
  }

  @Test("the reason is one safe, short line")
  func words() {
    #expect(failure([.init("A", "\n")])?.message == #"the value of "A" holds a control character"#)
    let message = failure(target: "\u{1B}[2J" + String(repeating: "x", count: 5_000))?.message ?? ""
    #expect(message.utf8.count < 200 && !message.contains("\u{1B}"))
  }
}
