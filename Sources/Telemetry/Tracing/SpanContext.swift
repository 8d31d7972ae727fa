// SPDX-License-Identifier: Apache-2.0

public import Tracing

/// The identity of a trace: 16 bytes, not all of them zero.
public struct TraceID: Hashable, Sendable {
  /// The first eight bytes, as a big-endian number.
  public let high: UInt64
  /// The last eight bytes, as a big-endian number.
  public let low: UInt64

  /// An identity of 128 bits; nil for zero, which the format forbids.
  public init?(high: UInt64, low: UInt64) {
    guard high != 0 || low != 0 else { return nil }
    self.high = high
    self.low = low
  }

  /// A new identity.
  static func random(using random: inout some RandomNumberGenerator) -> TraceID {
    TraceID(unchecked: random.next(), UInt64.random(in: 1...(.max), using: &random))
  }

  private init(unchecked high: UInt64, _ low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The bytes on the wire.
  public var bytes: [UInt8] { high.bigEndianBytes + low.bigEndianBytes }

  /// 32 hexadecimal digits in lower case.
  public var text: String { high.hexText + low.hexText }
}

/// The identity of a span within its trace: eight bytes, not all of them zero.
public struct SpanID: Hashable, Sendable {
  /// The bytes, as a big-endian number.
  public let number: UInt64

  /// An identity of 64 bits; nil for zero, which the format forbids.
  public init?(_ number: UInt64) {
    guard number != 0 else { return nil }
    self.number = number
  }

  /// A new identity.
  static func random(using random: inout some RandomNumberGenerator) -> SpanID {
    SpanID(unchecked: UInt64.random(in: 1...(.max), using: &random))
  }

  private init(unchecked number: UInt64) { self.number = number }

  /// The bytes on the wire.
  public var bytes: [UInt8] { number.bigEndianBytes }

  /// 16 hexadecimal digits in lower case.
  public var text: String { number.hexText }
}

/// What travels of a span: enough to continue its trace elsewhere.
public struct SpanContext: Hashable, Sendable {
  /// The trace.
  public let traceID: TraceID
  /// The span within it.
  public let spanID: SpanID
  /// Whether somebody records the trace.
  public let isSampled: Bool
  /// What other systems along the way noted, to be passed on as it came.
  public let state: TraceState

  /// The context of a span.
  public init(traceID: TraceID, spanID: SpanID, isSampled: Bool, state: TraceState = TraceState()) {
    self.traceID = traceID
    self.spanID = spanID
    self.isSampled = isSampled
    self.state = state
  }
}

private enum SpanContextKey: ServiceContextKey {
  typealias Value = SpanContext
  static var nameOverride: String? { "span" }
}

extension ServiceContext {
  /// The span that is under way, here or, in a context that was extracted from a request, at the caller.
  public var spanContext: SpanContext? {
    get { self[SpanContextKey.self] }
    set { self[SpanContextKey.self] = newValue }
  }
}

extension UInt64 {
  fileprivate var bigEndianBytes: [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> UInt64($0)) }
  }

  fileprivate var hexText: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
