// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct TraceTests {
  @Test("every frame of both directions is a line, and no header value or data is in it")
  func lines() throws {
    let client = try Endpoint(.client, .client)
    client.session.isTracing = true
    let id = try client.submitRequest(request + [HeaderField("authorization", "sesame")], endStream: false)
    try client.send([1, 2, 3], on: id, endStream: true)
    let length = [Frame](cutting: client.drained()).of(type: 1).first?.payload.count ?? 0
    client.receive(
      .settings([(3, 100), (0x99, 1)]), .settingsACK, .ping([0, 0, 0, 0, 0, 0, 0, 9]), .headers(id, response),
      .data(id, [1]), .windowUpdate(0, 77), .reset(id, .enhanceYourCalm), .goAway(1, .noError, [0x0A]))
    _ = client.drained()
    let traces = client.traces()
    #expect(
      traces.map { ($0.direction == .sent ? "> " : "< ") + $0.text } == [
        "> SETTINGS stream=0 length=0 flags=0x0",
        "> HEADERS stream=1 length=\(length) flags=0x4",
        "> DATA stream=1 length=3 flags=0x1",
        "< SETTINGS stream=0 length=12 flags=0x0 MAX_CONCURRENT_STREAMS=100 0x99=1",
        "< SETTINGS stream=0 length=0 flags=0x1",
        "< PING stream=0 length=8 flags=0x0",
        "< HEADERS stream=1 length=\(response.flatMap(Frame.literal).count) flags=0x4",
        "< DATA stream=1 length=1 flags=0x0",
        "< WINDOW_UPDATE stream=0 length=4 flags=0x0 increment=77",
        "< RST_STREAM stream=1 length=4 flags=0x0 ENHANCE_YOUR_CALM",
        "< GOAWAY stream=0 length=9 flags=0x0 last=1 NO_ERROR",
        "> SETTINGS stream=0 length=0 flags=0x1",
        "> PING stream=0 length=8 flags=0x1",
      ])
    #expect(client.traces().isEmpty)
  }

  @Test("nothing is recorded unless asked for")
  func off() throws {
    let client = try Endpoint(.client, .client)
    _ = client.drained()
    client.receive(.settings())
    #expect(client.traces().isEmpty)
  }

  @Test("a trace that nobody reads keeps the newest frames within its bound")
  func bounded() throws {
    let client = try Endpoint.client()
    client.session.isTracing = true
    for number in 0..<10_000 as Range<UInt32> {
      client.receive(.windowUpdate(0, number + 1))
    }
    let traces = client.traces()
    #expect(traces.count == HTTP2Limits.maxTraceEntries)
    #expect(traces.last?.content == .windowUpdate(increment: 10_000))
  }
}
