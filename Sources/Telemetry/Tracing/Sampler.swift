// SPDX-License-Identifier: Apache-2.0

/// Which traces are recorded.
public indirect enum Sampler: Sendable {
  /// Every trace.
  case alwaysOn
  /// No trace.
  case alwaysOff
  /// A share of all traces, 0 to 1, by their identity: every service that asks the same share picks the same traces.
  case ratio(Double)
  /// What the caller decided; without a caller, what another sampler says.
  case parentBased(root: Sampler)

  /// Whether a span is recorded, given its trace and, unless it is the first, its parent.
  public func samples(_ traceID: TraceID, parent: SpanContext?) -> Bool {
    switch self {
    case .alwaysOn: true
    case .alwaysOff: false
    case .ratio(let share): Self.isBelow(share, traceID)
    case .parentBased(let root): parent?.isSampled ?? root.samples(traceID, parent: nil)
    }
  }

  /// Compares the 63 bits that OpenTelemetry's samplers look at with the share of their range.
  private static func isBelow(_ share: Double, _ traceID: TraceID) -> Bool {
    guard share > 0 else { return false }  // also where it is no number
    guard share < 1 else { return true }
    return traceID.low >> 1 < UInt64(share * Double(UInt64(1) << 63))
  }
}
