// SPDX-License-Identifier: Apache-2.0

import GRPC
import HTTP2
import Testing
import Transcoding

@Suite struct HeaderTests {
  private let origin = HeaderRules.Origin(peer: "192.0.2.1", scheme: "https")

  /// Metadata as `name=value`, a binary value by its bytes, without those about where the request came from.
  private func metadata(
    _ headers: [(String, String)], _ rules: HeaderRules = HeaderRules()
  ) throws(TranscodingError) -> [String] {
    try rules.metadata(of: headers.map { (name: $0.0, value: $0.1) }, from: origin).entries
      .filter { !$0.name.hasPrefix("x-forwarded-") }
      .map { $0.name + "=" + ($0.isBinary ? "\($0.bytes ?? [])" : $0.wireValue) }
  }

  @Test("named headers and those with the prefix become metadata, and no others")
  func requests() throws {
    #expect(
      try metadata([
        ("Authorization", "Bearer x"), ("Traceparent", "00-1"), ("tracestate", "a=b"), ("Baggage", "c=d"),
        ("X-Request-ID", "1"), ("Cookie", "secret"), ("Accept", "*/*"), ("X-Other", "y"), ("Content-Type", "a/b"),
        ("Grpc-Metadata-Key", "v"), ("grpc-metadata-key", "w"), ("Grpc-Metadata-X-Data-Bin", "AQI="),
        ("Grpc-Metadata-Y-Bin", "AQI"), ("Grpc-Timeout", "1S"), ("Grpc-Metadata-", "v"),
      ]) == [
        "authorization=Bearer x", "traceparent=00-1", "tracestate=a=b", "baggage=c=d", "x-request-id=1", "key=v",
        "key=w", "x-data-bin=[1, 2]", "y-bin=[1, 2]",
      ])
  }

  @Test("no prefix lets a client say what gRPC, HTTP and the gateway say themselves")
  func reserved() throws {
    #expect(
      try metadata(
        [
          "Grpc-Timeout", "grpc-status", "Content-Type", "te", "Connection", "Transfer-Encoding", "Host", "User-Agent",
          ":path", "X-Forwarded-For", "a b", "ä",
        ].map { ("Grpc-Metadata-" + $0, "v") }) == [])
    #expect(
      try metadata([("Grpc-Metadata-A", "ä"), ("Grpc-Metadata-B", "a\u{0A}b"), ("authorization", "a\u{0}")]) == [])
  }

  @Test("where a request came from is told as proxies tell it")
  func origins() throws {
    func forwarded(_ headers: [(String, String)]) throws -> [String] {
      try HeaderRules().metadata(of: headers.map { (name: $0.0, value: $0.1) }, from: origin).entries
        .map { $0.name + "=" + $0.wireValue }
    }
    #expect(
      try forwarded([("Host", "api.example"), ("User-Agent", "curl/8")]) == [
        "x-forwarded-user-agent=curl/8", "x-forwarded-for=192.0.2.1", "x-forwarded-host=api.example",
        "x-forwarded-proto=https",
      ])
    #expect(
      try forwarded([
        ("X-Forwarded-For", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2"), ("X-Forwarded-Host", "front.example"),
        ("X-Forwarded-Proto", "http"), ("Host", "api.example"),
      ]) == [
        "x-forwarded-for=10.0.0.1, 10.0.0.2, 192.0.2.1", "x-forwarded-host=front.example", "x-forwarded-proto=http",
      ])
  }

  @Test("a binary header that is no base64, and headers beyond the limit, are refused")
  func refused() {
    func refusal(_ headers: [(String, String)]) -> String? {
      do throws(TranscodingError) {
        _ = try metadata(headers)
        return nil
      } catch { return "\(error.httpStatus) \(error.message)" }
    }
    #expect(refusal([("Grpc-Metadata-A-Bin", "%")]) == "400 the value of the header \"a-bin\" is no base64")
    #expect(refusal([("Authorization", String(repeating: "a", count: 8_100))]) == nil)
    #expect(
      refusal([("Authorization", String(repeating: "a", count: 8_193))])
        == "431 the headers that become metadata are larger than the limit")
  }

  @Test("prefixes are options")
  func prefixes() throws {
    var rules = HeaderRules()
    rules.requestPrefix = "x-meta-"
    rules.permanentPrefix = "grpcgateway-"
    rules.responsePrefix = ""
    #expect(
      try metadata([("X-Meta-A", "1"), ("Grpc-Metadata-B", "2"), ("Accept", "a/b"), ("Authorization", "c")], rules)
        == ["a=1", "grpcgateway-accept=a/b", "authorization=c", "grpcgateway-authorization=c"])
    var metadata = Metadata()
    try metadata.append("a", "1")
    #expect(rules.headers(of: metadata).map { $0.name + "=" + $0.value } == ["a=1"])
  }

  @Test("metadata of an answer become headers that break nothing")
  func answers() throws {
    let metadata = Metadata([
      .init("content-type", "application/grpc"), .init("grpc-status", "0"), .init("grpc-status-details-bin", "AA"),
      .init("etag", "\"1\""), .init("set-cookie", "a=b"), .init("x-data-bin", "AQI"), .init("key", "v"),
      .init("content-length", "5"), .init("transfer-encoding", "chunked"), .init("bad", "a\u{0D}\u{0A}b"),
    ])
    let rules = HeaderRules()
    #expect(
      rules.headers(of: metadata).map { $0.name + "=" + $0.value } == [
        "etag=\"1\"", "grpc-metadata-set-cookie=a=b", "grpc-metadata-x-data-bin=AQI", "grpc-metadata-key=v",
      ])
    #expect(
      rules.trailers(of: metadata).map { $0.name + "=" + $0.value } == [
        "grpc-trailer-etag=\"1\"", "grpc-trailer-set-cookie=a=b", "grpc-trailer-x-data-bin=AQI", "grpc-trailer-key=v",
      ])
    #expect(rules.webHeaders(of: metadata).map(\.name) == ["etag", "set-cookie", "x-data-bin", "key"])
  }

  @Test("headers of gRPC-Web are metadata but for those of HTTP and browsers")
  func web() throws {
    let headers = [
      ("Authorization", "a"), ("Content-Type", "application/grpc-web"), ("X-Grpc-Web", "1"), ("Grpc-Timeout", "1S"),
      ("Sec-Fetch-Mode", "cors"), ("Cookie", "b"), ("Origin", "c"), ("X-Key", "d"), ("Y-Bin", "AQI="), ("Host", "e"),
    ]
    let metadata = try HeaderRules().webMetadata(of: headers.map { (name: $0.0, value: $0.1) })
    #expect(metadata.entries.map { $0.name + "=" + $0.wireValue } == ["authorization=a", "x-key=d", "y-bin=AQI"])
  }

  @Test(
    "a deadline comes from either header or the default",
    arguments: [
      (nil, nil, nil, nil, nil), (nil, nil, 5, nil, 5), (nil, nil, 5, 3, 3), (nil, nil, nil, 3, 3),
      ("2S", nil, 5, nil, 2_000_000_000), ("2S", nil, nil, 7, 7), ("2S", "0.5", nil, nil, 500_000_000),
      ("100m", "1", nil, nil, 100_000_000), (nil, "1.5", nil, nil, 1_500_000_000),
      (nil, " 2 ", nil, nil, 2_000_000_000),
      (nil, "1e300", nil, nil, .max), ("0n", nil, 5, nil, 0), (nil, "0", 5, nil, 0),
    ] as [(String?, String?, Int64?, Int64?, Int64?)])
  func deadlines(grpc: String?, server: String?, standard: Int64?, maximum: Int64?, expected: Int64?) throws {
    let rules = DeadlineRules(standard: standard, maximum: maximum)
    #expect(try rules.timeout(grpcTimeout: grpc, serverTimeout: server) == expected)
  }

  @Test("a deadline that is none is refused")
  func badDeadlines() {
    for (grpc, server) in [("bogus", nil), ("", nil), (nil, "-1"), (nil, "1s"), (nil, ""), (nil, "NaN")]
      as [(String?, String?)]
    {
      do throws(TranscodingError) {
        _ = try DeadlineRules().timeout(grpcTimeout: grpc, serverTimeout: server)
        Issue.record("\(grpc ?? "") \(server ?? "") is taken")
      } catch {
        let name = grpc == nil ? "X-Server-Timeout" : "Grpc-Timeout"
        #expect(error.message == "the header \(name) is no time: \"\(grpc ?? server ?? "")\"")
      }
    }
  }
}
