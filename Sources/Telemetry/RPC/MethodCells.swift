// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// The name of a method as metrics and logs tell it.
public struct MethodName: Hashable, Sendable {
  /// The service with its package: `user.v1.UserService`.
  public let service: String
  /// The method alone: `GetUser`.
  public let method: String

  /// A method of a service.
  public init(service: String, method: String) {
    self.service = service
    self.method = method
  }

  /// `service/method`, or the service alone where there is no method.
  public var full: String { method.isEmpty ? service : service + "/" + method }

  /// What stands for methods that nobody registered: a peer's own names would grow without bound.
  public static let other = MethodName(service: "other", method: "")
}

/// The counts of one method on one side. What several names of metrics show is counted once.
///
/// A call adds to nine places: the start, a message each way, and one bucket and one sum of three histograms. Whatever
/// else is shown is worked out when somebody looks.
final class MethodCells: Sendable {
  /// How many codes have counts of their own; the codes of gRPC are 0 to 16.
  static let codeCount = 17

  let name: MethodName
  let kind: CallKind
  private let row: AtomicRow

  private static let started = 0
  private static let received = 1
  private static let sent = 2
  private static let histograms = 3
  private static let codeWidth = HistogramLayout.latency.width + 2 * HistogramLayout.size.width

  /// Zeros for a method: about 10 KB.
  init(_ name: MethodName, kind: CallKind) {
    self.name = name
    self.kind = kind
    row = AtomicRow(count: Self.histograms + Self.codeCount * Self.codeWidth)
  }

  func start() { row.add(1, at: Self.started) }
  func receiveMessages(_ count: UInt64) { row.add(count, at: Self.received) }
  func sendMessages(_ count: UInt64) { row.add(count, at: Self.sent) }

  /// Counts an end. A code that gRPC does not know counts as UNKNOWN.
  func finish(_ code: StatusCode, nanoseconds: Int64, receivedBytes: Int64, sentBytes: Int64) {
    let known = (0..<Self.codeCount).contains(code.rawValue) ? code.rawValue : StatusCode.unknown.rawValue
    let place = Self.histograms + known * Self.codeWidth
    HistogramLayout.latency.observe(max(0, nanoseconds), in: row, at: place)
    HistogramLayout.size.observe(max(0, receivedBytes), in: row, at: place + HistogramLayout.latency.width)
    HistogramLayout.size.observe(
      max(0, sentBytes), in: row, at: place + HistogramLayout.latency.width + HistogramLayout.size.width)
  }

  /// The counts at one moment.
  func snapshot() -> MethodSnapshot {
    let codes = (0..<Self.codeCount).map { code in
      let place = Self.histograms + code * Self.codeWidth
      let sizes = place + HistogramLayout.latency.width
      return MethodSnapshot.Code(
        code: StatusCode(rawValue: code),
        latency: HistogramLayout.latency.snapshot(of: row, at: place),
        received: HistogramLayout.size.snapshot(of: row, at: sizes),
        sent: HistogramLayout.size.snapshot(of: row, at: sizes + HistogramLayout.size.width))
    }
    // Ends are read before starts, so that a call in flight never counts as less than none.
    return MethodSnapshot(
      name: name, kind: kind, codes: codes, started: row.value(at: Self.started),
      received: row.value(at: Self.received), sent: row.value(at: Self.sent))
  }
}

/// The counts of one method at one moment.
struct MethodSnapshot {
  /// The calls that ended with one code.
  struct Code {
    let code: StatusCode
    let latency: HistogramSnapshot
    let received: HistogramSnapshot
    let sent: HistogramSnapshot
  }

  let name: MethodName
  let kind: CallKind
  let codes: [Code]
  let started: UInt64
  let received: UInt64
  let sent: UInt64

  /// The latencies of all calls, whatever their code.
  var latency: HistogramSnapshot {
    codes.dropFirst().reduce(codes[0].latency) { $0.adding($1.latency) }
  }

  /// The calls that ended.
  var finished: UInt64 { codes.reduce(0) { $0 &+ $1.latency.count } }

  /// The calls under way.
  var active: UInt64 { started >= finished ? started - finished : 0 }
}
