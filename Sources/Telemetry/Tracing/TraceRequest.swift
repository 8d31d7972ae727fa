// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Protobuf
internal import Tracing

/// Who the spans are from.
public struct TraceResource: Sendable {
  /// The service's name (`service.name`).
  public var serviceName: String
  /// The service's version (`service.version`); left out where empty.
  public var serviceVersion: String
  /// What tells one instance from its siblings (`service.instance.id`); left out where empty.
  public var instance: String

  /// A service, in one version, as one instance.
  public init(serviceName: String, serviceVersion: String = "", instance: String = "") {
    self.serviceName = serviceName
    self.serviceVersion = serviceVersion
    self.instance = instance
  }
}

/// `ExportTraceServiceRequest` of OpenTelemetry's protocol (OTLP), fields in the order of their numbers.
public enum TraceRequest {
  /// The path of the collector's method.
  public static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
  /// The name that the spans' scope has: who made them, not what they are about.
  static let scope = "sonde"

  /// One request with all the spans.
  public static func encode(_ spans: [RecordedSpan], resource: TraceResource) -> [UInt8] {
    var resourceSpans = WireWriter()
    resourceSpans.bytes(encode(resource), field: 1)
    var scopeSpans = WireWriter()
    var scope = WireWriter()
    scope.string(Self.scope, field: 1)
    scopeSpans.bytes(scope.bytes, field: 1)
    for span in spans { scopeSpans.bytes(encode(span), field: 2) }
    resourceSpans.bytes(scopeSpans.bytes, field: 2)
    var request = WireWriter()
    request.bytes(resourceSpans.bytes, field: 1)
    return request.bytes
  }

  private static func encode(_ resource: TraceResource) -> [UInt8] {
    var writer = WireWriter()
    let pairs = [
      ("service.instance.id", resource.instance), ("service.name", resource.serviceName),
      ("service.version", resource.serviceVersion),
    ]
    for (name, value) in pairs where !value.isEmpty { writer.bytes(pair(name, .string(value)), field: 1) }
    return writer.bytes
  }

  private static func encode(_ span: RecordedSpan) -> [UInt8] {
    var writer = WireWriter()
    writer.bytes(span.context.traceID.bytes, field: 1)
    writer.bytes(span.context.spanID.bytes, field: 2)
    if !span.context.state.text.isEmpty { writer.string(span.context.state.text, field: 3) }
    if let parent = span.parent { writer.bytes(parent.bytes, field: 4) }
    writer.string(span.name.shortened(toUTF8Count: SpanLimits.textBytes), field: 5)
    writer.varint(number(of: span.kind), field: 6)
    writer.fixed64(span.start, field: 7)
    writer.fixed64(span.end, field: 8)
    append(span.attributes, field: 9, to: &writer)
    append(count: span.droppedAttributes, field: 10, to: &writer)
    for event in span.events {
      var part = WireWriter()
      part.fixed64(event.time, field: 1)
      part.string(event.name.shortened(toUTF8Count: SpanLimits.textBytes), field: 2)
      append(event.attributes, field: 3, to: &part)
      writer.bytes(part.bytes, field: 11)
    }
    append(count: span.droppedEvents, field: 12, to: &writer)
    for link in span.links {
      var part = WireWriter()
      part.bytes(link.context.traceID.bytes, field: 1)
      part.bytes(link.context.spanID.bytes, field: 2)
      if !link.context.state.text.isEmpty { part.string(link.context.state.text, field: 3) }
      append(link.attributes, field: 4, to: &part)
      if link.context.isSampled { part.fixed32(1, field: 6) }
      writer.bytes(part.bytes, field: 13)
    }
    append(count: span.droppedLinks, field: 14, to: &writer)
    if let status = span.status {
      var part = WireWriter()
      if let message = status.message, !message.isEmpty {
        part.string(message.shortened(toUTF8Count: SpanLimits.textBytes), field: 2)
      }
      part.varint(status.code == .ok ? 1 : 2, field: 3)
      writer.bytes(part.bytes, field: 15)
    }
    if span.context.isSampled { writer.fixed32(1, field: 16) }
    return writer.bytes
  }

  private static func number(of kind: SpanKind) -> UInt64 {
    switch kind {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }

  private static func append(count: Int, field: Int, to writer: inout WireWriter) {
    if count > 0 { writer.varint(UInt64(count), field: field) }
  }

  private static func append(_ attributes: SpanAttributes, field: Int, to writer: inout WireWriter) {
    for (name, value) in attributes.sorted { writer.bytes(pair(name, value), field: field) }
  }

  private static func pair(_ name: String, _ value: SpanAttribute) -> [UInt8] {
    var writer = WireWriter()
    writer.string(name.shortened(toUTF8Count: SpanLimits.textBytes), field: 1)
    writer.bytes(any(value), field: 2)
    return writer.bytes
  }

  /// `AnyValue`.
  private static func any(_ value: SpanAttribute) -> [UInt8] {
    var writer = WireWriter()
    switch value {
    case .string(let text): writer.string(text.shortened(toUTF8Count: SpanLimits.textBytes), field: 1)
    case .bool(let value): writer.varint(value ? 1 : 0, field: 2)
    case .int32(let value): writer.varint(UInt64(bitPattern: Int64(value)), field: 3)
    case .int64(let value): writer.varint(UInt64(bitPattern: value), field: 3)
    case .double(let value): writer.fixed64(value.bitPattern, field: 4)
    case .stringArray(let values): writer.bytes(array(values) { .string($0) }, field: 5)
    case .boolArray(let values): writer.bytes(array(values) { .bool($0) }, field: 5)
    case .int32Array(let values): writer.bytes(array(values) { .int32($0) }, field: 5)
    case .int64Array(let values): writer.bytes(array(values) { .int64($0) }, field: 5)
    case .doubleArray(let values): writer.bytes(array(values) { .double($0) }, field: 5)
    case .stringConvertible(let value): return any(.string(value.description))
    case .stringConvertibleArray(let values): writer.bytes(array(values) { .string($0.description) }, field: 5)
    default: break  // the package's own guard against exhaustive switches, which no value is
    }
    return writer.bytes
  }

  private static func array<T>(_ values: [T], _ attribute: (T) -> SpanAttribute) -> [UInt8] {
    var writer = WireWriter()
    for value in values.prefix(SpanLimits.elements) { writer.bytes(any(attribute(value)), field: 1) }
    return writer.bytes
  }
}
