// SPDX-License-Identifier: Apache-2.0

import GRPC
import Protobuf
import Schemas
import Testing
import Transcoding

@Suite struct ResponseTests {
  private static let table = Shop.table([
    ("Get", HTTPRule("GET", "/whole")), ("Get", HTTPRule("GET", "/item", responseBody: "item")),
    ("Get", HTTPRule("GET", "/items", responseBody: "items")), ("Get", HTTPRule("GET", "/text", responseBody: "text")),
    ("Get", HTTPRule("GET", "/file", responseBody: "file")), ("Upload", HTTPRule("POST", "/upload", body: "*")),
    ("Watch", HTTPRule("GET", "/watch")), ("Download", HTTPRule("GET", "/download")),
    ("Send", HTTPRule("POST", "/send", body: "*")),
  ])

  private func route(_ path: String) throws -> Route {
    try Shop.match(Self.table, path == "/upload" || path == "/send" ? "POST" : "GET", path).route
  }

  private func answer(
    _ path: String, _ json: String, _ change: (inout JSONWritingOptions) -> Void = { _ in }
  ) throws -> String {
    var options = JSONWritingOptions()
    change(&options)
    var written: [UInt8] = []
    try ResponseTranscoder(try route(path), options: options)
      .writeJSON(try Shop.message("shop.v1.Reply", json)[...], into: &written)
    return String(decoding: written, as: UTF8.self)
  }

  @Test("an answer is JSON as it is asked for, whole or one field of it")
  func bodies() throws {
    let json = #"{"item":{"madeAt":"2024-01-01T00:00:00Z","color":"RED"},"items":[{"price":"1"}],"text":"x"}"#
    #expect(
      try answer("/whole", json) == #"{"item":{"color":"RED","madeAt":"2024-01-01T00:00:00Z"},"#
        + #""items":[{"price":"1"}],"text":"x"}"#)
    #expect(
      try answer("/item", json) { $0.usesProtoNames = true } == #"{"color":"RED","made_at":"2024-01-01T00:00:00Z"}"#)
    #expect(
      try answer("/item", json) { $0.writesEnumsAsNumbers = true } == #"{"color":1,"madeAt":"2024-01-01T00:00:00Z"}"#)
    #expect(try answer("/items", json) == #"[{"price":"1"}]"#)
    #expect(try answer("/text", json) == #""x""#)
    #expect(try answer("/whole", "{}") == "{}")
    #expect(try answer("/item", "{}") == "null")
    #expect(try answer("/items", "{}") == "[]")
    #expect(try answer("/text", "{}") == #""""#)
    #expect(try answer("/whole", "{}") { $0.writesUnset = true } == #"{"items":[],"text":""}"#)
  }

  @Test("an answer that is none of its type is the service's fault, told on one line")
  func badAnswer() throws {
    var written: [UInt8] = [7]
    let response = ResponseTranscoder(try route("/whole"))
    do throws(TranscodingError) {
      try response.writeJSON([0x0A, 9], into: &written)
      Issue.record("it was written")
    } catch {
      #expect(error.httpStatus == 500 && error.statusCode == .internal)
      #expect(error.message == "the answer cannot be read: item: the bytes end within a field, at byte 1")
    }
    #expect(written == [7])
  }

  @Test("the bytes of an HttpBody come with their type, which no answer can break a header with")
  func rawBodies() throws {
    func raw(_ path: String, _ type: String, _ json: String) throws -> String? {
      let body = try ResponseTranscoder(try route(path)).rawBody(try Shop.message(type, json)[...])
      return body.map { $0.contentType + " " + String(decoding: $0.data, as: UTF8.self) }
    }
    let body = "google.api.HttpBody"
    #expect(try raw("/upload", body, #"{"contentType":"text/csv","data":"YSxi"}"#) == "text/csv a,b")
    #expect(try raw("/download", body, #"{"data":"YSxi"}"#) == "application/octet-stream a,b")
    #expect(
      try raw("/upload", body, #"{"contentType":"text/csv\r\nx: y","data":"YSxi"}"#) == "application/octet-stream a,b")
    #expect(
      try raw("/file", "shop.v1.Reply", #"{"file":{"contentType":"a/b","data":"YSxi"},"text":"x"}"#) == "a/b a,b")
    #expect(try raw("/file", "shop.v1.Reply", "{}") == "application/octet-stream ")
    #expect(try raw("/whole", "shop.v1.Reply", "{}") == nil)
  }

  // MARK: - Types

  @Test(
    "Accept chooses the form of an answer",
    arguments: [
      ("/whole", nil, "single"), ("/whole", "", "single"), ("/whole", "*/*", "single"),
      ("/whole", "application/json", "single"), ("/whole", "Application/JSON;q=0.1", "single"),
      ("/whole", "application/*", "single"), ("/whole", "text/html, */*;q=0.8", "single"),
      ("/whole", "text/html", "406"), ("/whole", "application/json;q=0", "406"),
      ("/whole", "*/*, application/json;q=0", "406"), ("/whole", "text/event-stream", "406"),
      ("/send", "application/json", "single"),
      ("/watch", nil, "lines"), ("/watch", "*/*", "lines"), ("/watch", "application/*", "lines"),
      ("/watch", "application/x-ndjson", "lines"), ("/watch", "text/event-stream", "events"),
      ("/watch", "text/*", "events"), ("/watch", "application/json", "array"),
      ("/watch", "application/json, text/plain, */*", "array"),
      ("/watch", "application/json;q=0.5, text/event-stream;q=0.6", "events"),
      ("/watch", "application/json;q=0.5, */*;q=0.1", "array"),
      ("/watch", "text/event-stream, application/x-ndjson", "lines"),
      ("/watch", "application/x-ndjson;q=0, */*", "events"),
      ("/watch", "application/json;q=1.5, text/event-stream;q=abc, application/x-ndjson;q=0.001", "lines"),
      ("/watch", "a/b;x=\"c,application/json\"", "406"), ("/watch", "text/html", "406"),
      ("/watch", "nonsense", "lines"),
      ("/download", "text/html", "raw"), ("/file", "image/png", "raw"),
    ] as [(String, String?, String)])
  func accept(path: String, accept: String?, expected: String) throws {
    let route = try route(path)
    do throws(TranscodingError) {
      #expect("\(try ResponseForm.negotiate(accept, for: route))" == expected)
    } catch { #expect("\(error.httpStatus)" == expected, "\(error.message)") }
  }

  @Test(
    "Content-Type must be one that the route takes",
    arguments: [
      ("/whole", nil, nil), ("/whole", "", nil), ("/whole", "application/json", nil),
      ("/whole", "Application/JSON; Charset=\"UTF-8\"", nil), ("/whole", "application/merge-patch+json", nil),
      ("/whole", "application/json; charset=latin1", "the body is in \"latin1\" and not in UTF-8"),
      ("/whole", "text/plain", "the body is \"text/plain\" and not application/json"),
      (
        "/whole", "application/x-www-form-urlencoded",
        "the body is \"application/x-www-form-urlencoded\" and not application/json"
      ),
      ("/whole", "application/+json", "the body is \"application/+json\" and not application/json"),
      ("/whole", "json", "the body is \"json\" and not application/json"),
      ("/whole", "application/x-ndjson", "the body is \"application/x-ndjson\" and not application/json"),
      ("/send", "application/x-ndjson", nil), ("/send", "application/json", nil),
      ("/send", "a/b\u{0A}", "the body is \"a/b\\n\" and not application/json or application/x-ndjson"),
      ("/upload", "image/png", nil),
    ] as [(String, String?, String?)])
  func contentType(path: String, type: String?, expected: String?) throws {
    let route = try route(path)
    do throws(TranscodingError) {
      try RequestBodyType.check(type, for: route)
      #expect(expected == nil)
    } catch {
      #expect(error.httpStatus == 415)
      #expect(error.message == expected)
    }
  }

  // MARK: - Streams

  private func framed(_ form: ResponseForm, _ messages: [String], error: String? = nil) -> (String, String) {
    var framer = ResponseFramer(form)
    var bytes: [UInt8] = []
    for message in messages { framer.message(into: &bytes) { $0 += message.utf8 } }
    var ending = "ended"
    if let error {
      ending = "\(framer.failure(into: &bytes) { $0 += error.utf8 })"
    } else {
      framer.end(into: &bytes)
    }
    return (String(decoding: bytes, as: UTF8.self), ending)
  }

  @Test("each form frames messages, and shows a failure in the middle")
  func framing() {
    #expect(framed(.lines, ["{}", "1"]) == ("{\"result\":{}}\n{\"result\":1}\n", "ended"))
    #expect(framed(.lines, []) == ("", "ended"))
    #expect(framed(.lines, ["{}"], error: "E") == ("{\"result\":{}}\n{\"error\":E}\n", "told"))
    #expect(framed(.events, ["{}"]) == ("data: {}\n\nevent: end\ndata: {}\n\n", "ended"))
    #expect(framed(.events, ["{}"], error: "E") == ("data: {}\n\nevent: error\ndata: E\n\n", "told"))
    #expect(framed(.array, ["{}", "1", "2"]) == ("[{},1,2]", "ended"))
    #expect(framed(.array, []) == ("[]", "ended"))
    #expect(framed(.array, ["{}"], error: "E") == ("[{}", "cutOff"))
    #expect(framed(.single, ["{}"]) == ("{}", "ended"))
    #expect(framed(.raw, ["a", "b"], error: "E") == ("ab", "cutOff"))
  }

  @Test("a message that cannot be written leaves nothing of its frame")
  func failedMessage() {
    struct Failure: Error {}
    for form in [ResponseForm.lines, .events, .array] {
      var framer = ResponseFramer(form)
      var bytes: [UInt8] = []
      framer.message(into: &bytes) { $0.append(0x31) }
      let before = bytes
      do throws(Failure) {
        try framer.message(into: &bytes) { bytes throws(Failure) in
          bytes.append(0x32)
          throw Failure()
        }
      } catch {}
      #expect(bytes == before)
    }
  }

  /// The documents of a stream that is cut into chunks of a size.
  private func split(_ text: String, _ size: Int, limit: Int = 100) -> (documents: [String], error: String?) {
    var splitter = RequestSplitter(byteLimit: limit)
    var rest = bytes(text)
    var documents: [String] = []
    do throws(TranscodingError) {
      while !rest.isEmpty {
        splitter.receive(rest.prefix(size))
        rest = rest.dropFirst(size)
        while let document = try splitter.next() { documents.append(String(decoding: document, as: UTF8.self)) }
      }
      splitter.receiveEnd()
      while let document = try splitter.next() { documents.append(String(decoding: document, as: UTF8.self)) }
    } catch { return (documents, "\(error.httpStatus) \(error.message)") }
    return (documents, splitter.isFinished ? nil : "not finished")
  }

  @Test(
    "a body is lines, documents with any space between, or an array, however it is cut", arguments: [1, 2, 3, 7, 1000])
  func splits(size: Int) {
    for text in [
      "{\"a\":1}\n{\"b\":\"}\\\"\"}\n", " \r\n\t{\"a\":1} {\"b\":\"}\\\"\"}", "{\"a\":1}{\"b\":\"}\\\"\"}",
      "[{\"a\":1},{\"b\":\"}\\\"\"}]", "\n [ {\"a\":1}\n,\t{\"b\":\"}\\\"\"} ]\n",
    ] {
      #expect(split(text, size) == (["{\"a\":1}", "{\"b\":\"}\\\"\"}"], nil), "\(text)")
    }
    for text in ["", " \n ", "[]", " [ ] "] { #expect(split(text, size) == ([], nil), "\(text)") }
    let malformed = "400 the stream of messages is malformed: "
    #expect(split("{} {", size) == (["{}"], malformed + "byte 4: the document ends too early"))
    #expect(split("[{}", size) == (["{}"], malformed + "byte 3: the document ends too early"))
    #expect(split("[{},]", size) == (["{}"], malformed + "byte 4: a character is out of place"))
    #expect(split("[{}] {}", size) == (["{}"], malformed + "byte 5: a character is out of place"))
    #expect(split("{},{}", size) == (["{}"], malformed + "byte 2: a character is out of place"))
    let long = "{\"a\":\"" + String(repeating: "x", count: 100) + "\"}"
    #expect(split(long, size).error?.hasPrefix("413 ") == true)
  }
}

/// Both parts are the same.
private func == (left: (documents: [String], error: String?), right: ([String], String?)) -> Bool {
  left.documents == right.0 && left.error == right.1
}
