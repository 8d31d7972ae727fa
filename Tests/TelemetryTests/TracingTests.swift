// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TestSupport
import Testing
import Tracing

@testable import Telemetry

/// An exporter that keeps what it is given, or refuses it.
final class Collector: SpanExporter {
  struct Refusal: Error {}
  private let requests = Mutex<[[UInt8]]>([])
  private let refuses: Bool
  init(refuses: Bool = false) { self.refuses = refuses }
  var received: [[UInt8]] { requests.withLock { $0 } }
  func export(_ request: [UInt8]) async throws {
    requests.withLock { $0.append(request) }
    if refuses { throw Refusal() }
  }
}

/// An exporter that hangs until it is cancelled.
private struct Hanging: SpanExporter {
  func export(_ request: [UInt8]) async throws { try await Task.sleep(for: .seconds(3_600)) }
}

private struct Headers: Extractor, Injector {
  func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
  func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

private func hex(_ text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }
  return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
    let start = digits.index(digits.startIndex, offsetBy: offset)
    return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
  }
}

/// Limits under which nothing is exported but at a flush.
private var quiet: BatchSpanProcessor.Limits {
  var limits = BatchSpanProcessor.Limits()
  limits.interval = .seconds(3_600)
  return limits
}

@Suite struct TracingTests {
  static let resource = TraceResource(serviceName: "user-service", serviceVersion: "1.2", instance: "i1")

  @Test("a request has the bytes that another implementation of the protocol makes of the same spans")
  func request() throws {
    let traceID = try #require(TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10))
    let spanID = try #require(SpanID(0x1112_1314_1516_1718))
    let parent = try #require(SpanID(0x2122_2324_2526_2728))
    let state = try #require(TraceState(decoding: "a=b"))
    var span = RecordedSpan(
      context: SpanContext(traceID: traceID, spanID: spanID, isSampled: true, state: state), parent: parent,
      name: "user.v1.UserService/GetUser", kind: .server, start: 1_000)
    span.end = 2_500
    span.set([
      "s": "text", "i": .int64(-7), "d": .double(1.5), "b": .bool(true), "l": .int64Array([1, 2]),
      "t": .stringArray(["x"]),
    ])
    span.append(RecordedSpan.Event(name: "exception", time: 1_500, attributes: ["exception.type": "E"]))
    span.append(
      RecordedSpan.Link(context: SpanContext(traceID: traceID, spanID: parent, isSampled: false), attributes: [:]))
    span.status = SpanStatus(code: .error, message: "gone")
    var root = RecordedSpan(
      context: SpanContext(traceID: traceID, spanID: parent, isSampled: true), parent: nil, name: "root",
      kind: .internal, start: 5)
    root.droppedEvents = 3
    // Made once by the protocol's own Python messages.
    let expected = hex(
      """
      0ab6030a570a1b0a13736572766963652e696e7374616e63652e696412040a0269310a1e0a0c736572766963652e6e61
      6d65120e0a0c757365722d736572766963650a180a0f736572766963652e76657273696f6e12050a03312e3212da020a
      070a05736f6e6465128e020a100102030405060708090a0b0c0d0e0f10120811121314151617181a03613d6222082122
      2324252627282a1b757365722e76312e55736572536572766963652f47657455736572300239e80300000000000041c4
      090000000000004a070a0162120210014a0e0a0164120921000000000000f83f4a100a0169120b18f9ffffffffffffff
      ff014a0f0a016c120a2a080a0218010a0218024a0b0a017312060a04746578744a0c0a017412072a050a030a01785a2b
      09dc050000000000001209657863657074696f6e1a150a0e657863657074696f6e2e7479706512030a01456a1c0a1001
      02030405060708090a0b0c0d0e0f10120821222324252627287a081204676f6e651802850101000000123e0a10010203
      0405060708090a0b0c0d0e0f10120821222324252627282a04726f6f7430013905000000000000004105000000000000
      006003850101000000
      """)
    #expect(TraceRequest.encode([span, root], resource: Self.resource) == expected)
  }

  @Test("a caller's trace goes on: same trace, new span, same notes")
  func propagation() async throws {
    let collector = Collector()
    let processor = BatchSpanProcessor(exporter: collector, resource: Self.resource, limits: quiet)
    let tracer = TraceContextTracer(processor: processor)
    let incoming = [
      "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "v=1",
    ]
    var context = ServiceContext.topLevel
    tracer.extract(incoming, into: &context, using: Headers())
    let span = tracer.startSpan("call", context: context, ofKind: .server)
    var outgoing: [String: String] = [:]
    tracer.inject(span.context, into: &outgoing, using: Headers())
    let own = try #require(span.context.spanContext)
    #expect(outgoing["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-\(own.spanID.text)-01")
    #expect(own.spanID.text != "b7ad6b7169203331")
    #expect(outgoing["tracestate"] == "v=1")
    span.end()
    span.end()
    await processor.flush()
    #expect(processor.counts.exported == 1)
    await processor.shutdown()
  }

  @Test("headers that are not in order begin a trace of its own")
  func freshTrace() throws {
    let tracer = TraceContextTracer(processor: nil)
    var context = ServiceContext.topLevel
    tracer.extract(["traceparent": "nonsense", "tracestate": "v=1"], into: &context, using: Headers())
    let span = tracer.startSpan("call", context: context)
    #expect(try #require(span.context.spanContext).state == TraceState())
    #expect(!span.isRecording)
    var outgoing: [String: String] = [:]
    tracer.inject(.topLevel, into: &outgoing, using: Headers())
    #expect(outgoing.isEmpty)
  }

  @Test("without an exporter a caller's decision to record is passed on", arguments: [true, false])
  func passingOn(isSampled: Bool) throws {
    let tracer = TraceContextTracer(processor: nil)
    var context = ServiceContext.topLevel
    let traceID = try #require(TraceID(high: 1, low: 2))
    context.spanContext = SpanContext(traceID: traceID, spanID: try #require(SpanID(3)), isSampled: isSampled)
    #expect(tracer.startSpan("call", context: context).context.spanContext?.isSampled == isSampled)
  }

  @Test("samplers pick what their names say")
  func samplers() throws {
    var random = SeededGenerator(5)
    let ids = (0..<4_000).map { _ in TraceID.random(using: &random) }
    let parent = SpanContext(traceID: ids[0], spanID: try #require(SpanID(1)), isSampled: false)
    #expect(Sampler.alwaysOn.samples(ids[0], parent: parent))
    #expect(!Sampler.alwaysOff.samples(ids[0], parent: nil))
    #expect(!Sampler.parentBased(root: .alwaysOn).samples(ids[0], parent: parent))
    #expect(Sampler.parentBased(root: .alwaysOn).samples(ids[0], parent: nil))
    for (share, range) in [(0.0, 0...0), (.nan, 0...0), (-1, 0...0), (0.25, 900...1_100), (1, 4_000...4_000)] {
      #expect(range.contains(ids.count { Sampler.ratio(share).samples($0, parent: nil) }), "\(share)")
    }
    // Whoever samples a quarter samples what those sample that take a tenth.
    #expect(
      ids.allSatisfy { !Sampler.ratio(0.1).samples($0, parent: nil) || Sampler.ratio(0.25).samples($0, parent: nil) })
  }

  @Test("a span holds so many attributes, events and links, of bounded size, and counts what is beyond")
  func limits() throws {
    let context = SpanContext(
      traceID: try #require(TraceID(high: 1, low: 1)), spanID: try #require(SpanID(1)), isSampled: true)
    var span = RecordedSpan(context: context, parent: nil, name: "a", kind: .client, start: 0)
    var many = SpanAttributes()
    for index in 0..<200 { many.set("k\(1_000 + index)", value: .string(String(repeating: "x", count: 5_000))) }
    span.set(many)
    for index in 0..<200 {
      span.append(RecordedSpan.Event(name: "e\(index)", time: 0, attributes: [:]))
      span.append(RecordedSpan.Link(context: context, attributes: [:]))
    }
    #expect(span.attributes.count == 128)
    #expect(span.attributes.get("k1127") != nil)
    #expect(span.droppedAttributes == 72)
    #expect(span.events.count == 128)
    #expect(span.droppedEvents == 72)
    #expect(span.links.count == 128)
    #expect(span.droppedLinks == 72)
    span.attributes.forEach { _, value in
      guard case .string(let text) = value else { return }
      #expect(text.utf8.count <= SpanLimits.textBytes)
    }
    let wide = SpanAttributes(["i": .int64Array(Array(repeating: 0, count: 500)), "s": .stringArray(["a"])]).limited
    #expect(wide.get("i") == .int64Array(Array(repeating: 0, count: 128)))
    #expect(wide.get("s") == .stringArray(["a"]))
  }

  @Test("what withSpan runs is recorded, its error with it")
  func errors() async throws {
    let collector = Collector()
    let processor = BatchSpanProcessor(exporter: collector, resource: Self.resource, limits: quiet)
    let tracer = TraceContextTracer(processor: processor)
    #expect(throws: Collector.Refusal.self) {
      try tracer.withSpan("outer") { _ in try tracer.withSpan("inner") { _ in throw Collector.Refusal() } }
    }
    await processor.flush()
    let text = String(decoding: try #require(collector.received.first), as: UTF8.self)
    for word in ["outer", "inner", "exception.type", "Refusal"] { #expect(text.contains(word), "\(word)") }
    await processor.shutdown()
  }

  @Test("a full queue drops spans and counts them; each request has a batch at most")
  func fullQueue() async {
    let collector = Collector()
    var limits = quiet
    limits.queue = 10
    limits.batch = 4
    let processor = BatchSpanProcessor(exporter: Hanging(), resource: Self.resource, limits: limits)
    let tracer = TraceContextTracer(processor: processor)
    for _ in 0..<25 { tracer.startSpan("a").end() }
    // The exporter may have taken one batch out of the queue meanwhile.
    #expect([11, 15].contains(processor.counts.dropped))
    await processor.shutdown(grace: .zero)
    #expect(processor.counts.dropped + processor.counts.failed == 25)
    tracer.startSpan("late").end()
    #expect(processor.counts.dropped + processor.counts.failed == 26)

    limits.queue = 100
    let other = BatchSpanProcessor(exporter: collector, resource: Self.resource, limits: limits)
    let otherTracer = TraceContextTracer(processor: other)
    for _ in 0..<25 { otherTracer.startSpan("a").end() }
    await other.shutdown()
    #expect(other.counts == BatchSpanProcessor.Counts(exported: 25, dropped: 0, failed: 0))
    #expect(collector.received.count >= 7)
  }

  @Test("limits that make no sense still export every span", arguments: [0, -1])
  func nonsenseLimits(batch: Int) async {
    let collector = Collector()
    var limits = quiet
    limits.batch = batch
    limits.interval = .seconds(batch)
    let processor = BatchSpanProcessor(exporter: collector, resource: Self.resource, limits: limits)
    let tracer = TraceContextTracer(processor: processor)
    for _ in 0..<3 { tracer.startSpan("a").end() }
    await processor.shutdown()
    #expect(processor.counts.exported == 3)
  }

  @Test("spans that the collector does not take are counted, and the end does not insist")
  func refusal() async {
    let collector = Collector(refuses: true)
    var limits = quiet
    limits.batch = 1
    let processor = BatchSpanProcessor(exporter: collector, resource: Self.resource, limits: limits)
    let registry = MetricsRegistry()
    processor.register(in: registry)
    let tracer = TraceContextTracer(processor: processor)
    tracer.startSpan("a").end()
    await processor.flush()
    #expect(processor.counts.failed == 1)
    #expect(lines(registry).contains(#"trace_spans_total{result="failed"} 1"#))
    await processor.shutdown()
    await processor.flush()
    await processor.shutdown()
  }
}
