// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import Logging

/// Where the lines of a process's log go, in one of two forms, through a buffer and a thread of its own.
///
/// A line is appended to a bounded buffer and written soon, many lines with one `write(2)`. An output that is slow or
/// stuck therefore never holds up who logs: lines that find no room are dropped, and once there is room again a line
/// tells how many. What is buffered when the process ends without ``close(atMost:)`` is lost.
public final class LogSink: Sendable {
  /// How a line looks.
  public enum Form: String, Sendable, CaseIterable {
    /// `2026-11-21T09:05:00.000000Z info started port=50051`.
    case text
    /// One JSON object a line.
    case json
  }

  /// The bytes that wait at most, unless the caller says otherwise. As many again may be in the writer's hands.
  public static let defaultLimit = 1 << 20

  private let writer: LogWriter

  /// A sink of a descriptor, standard output unless said otherwise. The descriptor stays the caller's, and open until
  /// the sink is closed.
  public init(form: Form = .text, descriptor: Int32 = 1, limit: Int = defaultLimit) {
    writer = LogWriter(descriptor: descriptor, limit: max(0, limit), formatter: LogFormatter(form: form))
  }

  /// Lines that found no room so far.
  public var droppedLines: UInt64 { writer.dropped }

  /// Writes the line of a call that ended after `duration` nanoseconds, at level info.
  ///
  /// It goes into the buffer without a dictionary or a message in between. Names, peers and messages are made safe for
  /// one line, whoever chose them.
  public func call(
    method: String, code: StatusCode, duration: Int64, peer: String, requestID: String, message: String = "",
    trace: TraceID? = nil
  ) {
    let call = LogFormatter.Call(
      method: method, code: code, duration: duration, peer: peer, requestID: requestID, message: message, trace: trace)
    let time = LogTime.now
    writer.append { formatter, bytes in formatter.append(call, at: time, to: &bytes) }
  }

  /// Writes the line of an event.
  func write(_ event: LogFormatter.Event) {
    let time = LogTime.now
    writer.append { formatter, bytes in formatter.append(event, at: time, to: &bytes) }
  }

  /// Waits until every line so far is written; false where that takes longer than `limit`. Blocks the thread: for the
  /// end of a program, not for event loops.
  @discardableResult
  public func flush(atMost limit: Duration = .seconds(1)) -> Bool { writer.flush(atMost: limit.nanoseconds) }

  /// Takes no more lines and waits until the rest is written; false where that takes longer than `limit`. Blocks the
  /// thread.
  @discardableResult
  public func close(atMost limit: Duration = .seconds(1)) -> Bool { writer.close(atMost: limit.nanoseconds) }
}

extension Duration {
  /// The whole nanoseconds; a longer time than 292 years is that long.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflow || carry ? (seconds < 0 ? .min : .max) : sum
  }
}
