// SPDX-License-Identifier: Apache-2.0

public import Tracing

/// A tracer whose spans travel as W3C Trace Context and end in a ``BatchSpanProcessor``.
///
/// Without a processor nothing is recorded, and a caller's trace is passed on untouched but for the identities of the
/// spans between.
public struct TraceContextTracer: Tracer {
  private let sampler: Sampler
  private let processor: BatchSpanProcessor?

  /// A tracer that records what `sampler` picks.
  public init(sampler: Sampler = .parentBased(root: .alwaysOn), processor: BatchSpanProcessor?) {
    self.sampler = sampler
    self.processor = processor
  }

  /// Begins a span within the one of the context, or a new trace where there is none.
  public func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> TraceSpan {
    var context = context()
    let parent = context.spanContext
    var random = SystemRandomNumberGenerator()
    let traceID = parent?.traceID ?? .random(using: &random)
    let isSampled = processor != nil && sampler.samples(traceID, parent: parent)
    // A trace that others record stays marked so where this process only passes it on.
    let isMarked = isSampled || (processor == nil && parent?.isSampled == true)
    let own = SpanContext(
      traceID: traceID, spanID: .random(using: &random), isSampled: isMarked, state: parent?.state ?? TraceState())
    context.spanContext = own
    guard isSampled, let processor else { return TraceSpan(context: context) }
    let record = RecordedSpan(
      context: own, parent: parent?.spanID, name: operationName, kind: kind, start: instant().nanosecondsSinceEpoch)
    return TraceSpan(record, context: context, processor: processor)
  }

  /// Reads a caller's span out of a request's headers; headers that are not in order leave the context as it is.
  public func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let parent = extractor.extract(key: TraceParent.header, from: carrier) else { return }
    let state = extractor.extract(key: TraceParent.stateHeader, from: carrier)
    if let span = TraceParent.decode(parent, state: state) { context.spanContext = span }
  }

  /// Writes the context's span into a request's headers; a context without one leaves them as they are.
  public func inject<Carrier, Inject: Injector>(
    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let span = context.spanContext else { return }
    injector.inject(TraceParent.encode(span), forKey: TraceParent.header, into: &carrier)
    if !span.state.text.isEmpty {
      injector.inject(span.state.text, forKey: TraceParent.stateHeader, into: &carrier)
    }
  }

  /// Asks for an export of what has ended, without waiting for it.
  public func forceFlush() { processor?.exportSoon() }
}
