// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
public import Tracing

/// A span under way. One that nobody records carries its identity on and forgets everything else.
public final class TraceSpan: Span {
  /// What the span's own work runs in: calls made meanwhile carry its identity.
  public let context: ServiceContext
  /// Whether what is told to the span is kept. It stays as it was at the start, also after the end.
  public let isRecording: Bool

  /// The record, until the end takes it away.
  private let record: Mutex<RecordedSpan?>
  private let processor: BatchSpanProcessor?

  /// A span that is recorded.
  init(_ record: RecordedSpan, context: ServiceContext, processor: BatchSpanProcessor) {
    self.context = context
    isRecording = true
    self.record = Mutex(record)
    self.processor = processor
  }

  /// A span that is not recorded.
  init(context: ServiceContext) {
    self.context = context
    isRecording = false
    record = Mutex(nil)
    processor = nil
  }

  /// What is done; empty where it is not recorded or has ended.
  public var operationName: String {
    get { record.withLock { $0?.name ?? "" } }
    set { record.withLock { $0?.name = newValue } }
  }

  /// What is known about the span; empty where it is not recorded or has ended.
  public var attributes: SpanAttributes {
    get { record.withLock { $0?.attributes ?? SpanAttributes() } }
    set { record.withLock { $0?.set(newValue) } }
  }

  /// Says how the span ends.
  public func setStatus(_ status: SpanStatus) { record.withLock { $0?.status = status } }

  /// Notes that something happened.
  public func addEvent(_ event: SpanEvent) {
    record.withLock {
      $0?.append(
        RecordedSpan.Event(
          name: event.name, time: event.nanosecondsSinceEpoch, attributes: event.attributes.limited))
    }
  }

  /// Notes an error as the event `exception`.
  public func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    guard isRecording else { return }
    var attributes = attributes
    attributes.set("exception.type", value: .string(String(reflecting: type(of: error))))
    attributes.set("exception.message", value: .string(String(describing: error)))
    addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
  }

  /// Notes another span that this one has to do with; a context without a span is passed over.
  public func addLink(_ link: SpanLink) {
    guard let other = link.context.spanContext else { return }
    record.withLock { $0?.append(RecordedSpan.Link(context: other, attributes: link.attributes.limited)) }
  }

  /// Ends the span. A second end is passed over.
  public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    guard isRecording else { return }
    let end = instant().nanosecondsSinceEpoch
    guard var span = record.withLock({ $0.take() }) else { return }
    span.end = max(span.start, end)
    processor?.enqueue(span)
  }
}
