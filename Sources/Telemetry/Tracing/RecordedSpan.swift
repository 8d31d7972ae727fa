// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Tracing

/// How much a span may hold. What is beyond is dropped and counted.
public enum SpanLimits {
  /// Attributes of a span, an event or a link.
  public static let attributes = 128
  /// Events of a span.
  public static let events = 128
  /// Links of a span.
  public static let links = 128
  /// Bytes of a text: a name, a message, an attribute's value or one element of it.
  public static let textBytes = 1_024
  /// Elements of an attribute that is an array.
  public static let elements = 128
}

/// A span that has ended.
public struct RecordedSpan: Sendable {
  /// Something that happened at one moment of a span.
  public struct Event: Sendable {
    /// What happened.
    public let name: String
    /// When, in nanoseconds since 1970.
    public let time: UInt64
    /// More about it.
    public let attributes: SpanAttributes
  }

  /// Another span that this one has to do with.
  public struct Link: Sendable {
    /// The other span.
    public let context: SpanContext
    /// More about the link.
    public let attributes: SpanAttributes
  }

  /// The span's identity.
  public let context: SpanContext
  /// The span within which this one ran; nil for a trace's first.
  public let parent: SpanID?
  /// What was done.
  public internal(set) var name: String
  /// Which side of which exchange the span shows.
  public let kind: SpanKind
  /// When it began, in nanoseconds since 1970.
  public let start: UInt64
  /// When it ended, in nanoseconds since 1970; not before its start.
  public internal(set) var end: UInt64
  /// How it ended; nil where nobody said.
  public internal(set) var status: SpanStatus?
  /// What is known about it, up to ``SpanLimits/attributes``.
  public internal(set) var attributes = SpanAttributes()
  /// What happened meanwhile, up to ``SpanLimits/events``.
  public internal(set) var events: [Event] = []
  /// Other spans, up to ``SpanLimits/links``.
  public internal(set) var links: [Link] = []
  /// Attributes for which there was no room.
  public internal(set) var droppedAttributes = 0
  /// Events for which there was no room.
  public internal(set) var droppedEvents = 0
  /// Links for which there was no room.
  public internal(set) var droppedLinks = 0

  init(context: SpanContext, parent: SpanID?, name: String, kind: SpanKind, start: UInt64) {
    self.context = context
    self.parent = parent
    self.name = name
    self.kind = kind
    self.start = start
    end = start
  }

  mutating func set(_ new: SpanAttributes) {
    attributes = new.limited
    droppedAttributes += new.count - attributes.count
  }

  mutating func append(_ event: Event) {
    guard events.count < SpanLimits.events else {
      droppedEvents += 1
      return
    }
    events.append(event)
  }

  mutating func append(_ link: Link) {
    guard links.count < SpanLimits.links else {
      droppedLinks += 1
      return
    }
    links.append(link)
  }
}

extension SpanAttributes {
  /// The attributes in the order of their names.
  var sorted: [(name: String, value: SpanAttribute)] {
    var pairs: [(name: String, value: SpanAttribute)] = []
    forEach { pairs.append((name: $0, value: $1)) }
    return pairs.sorted { $0.name < $1.name }
  }

  /// As many attributes as a span may hold, the first by name, with values as long as they may be.
  var limited: SpanAttributes {
    var kept = self
    if count > SpanLimits.attributes {
      kept = SpanAttributes()
      for (name, value) in sorted.prefix(SpanLimits.attributes) { kept.set(name, value: value) }
    }
    let fitting = kept
    fitting.forEach { name, value in
      if let cut = value.cut { kept.set(name, value: cut) }
    }
    return kept
  }
}

extension SpanAttribute {
  /// The value cut to its limits; nil where it is within them. A value that is yet to be described is cut then.
  fileprivate var cut: SpanAttribute? {
    func isLong(_ text: String) -> Bool { text.utf8.count > SpanLimits.textBytes }
    func cut(_ text: String) -> String { text.shortened(toUTF8Count: SpanLimits.textBytes) }
    func first<T>(_ values: [T]) -> [T]? {
      values.count > SpanLimits.elements ? Array(values.prefix(SpanLimits.elements)) : nil
    }
    switch self {
    case .string(let text): return isLong(text) ? .string(cut(text)) : nil
    case .stringArray(let texts):
      let kept = first(texts) ?? texts
      return kept.count < texts.count || kept.contains(where: isLong) ? .stringArray(kept.map(cut)) : nil
    case .boolArray(let values): return first(values).map { .boolArray($0) }
    case .int32Array(let values): return first(values).map { .int32Array($0) }
    case .int64Array(let values): return first(values).map { .int64Array($0) }
    case .doubleArray(let values): return first(values).map { .doubleArray($0) }
    case .stringConvertibleArray(let values): return first(values).map { .stringConvertibleArray($0) }
    default: return nil
    }
  }
}
