// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import Synchronization

/// The metrics of a client's calls and of the attempts that make them up, under the names of the Go ecosystem's
/// interceptor (`grpc_client_handled_total` and its kin) and of gRFC A66 (`grpc.client.attempt.duration`).
public final class ClientRPCMetrics: Sendable {
  /// The handle of one method of one target.
  public struct Method: Sendable {
    fileprivate let calls: MethodCells
    fileprivate let attempts: MethodCells

    /// A call began. It must end with ``finished(code:duration:)``, once.
    public func started() { calls.start() }
    /// Messages were handed to the call.
    public func messageSent(_ count: UInt64 = 1) { calls.sendMessages(count) }
    /// Messages were given to the caller.
    public func messageReceived(_ count: UInt64 = 1) { calls.receiveMessages(count) }
    /// A call ended, retries and all, after `duration` nanoseconds.
    public func finished(code: StatusCode, duration: Int64) {
      calls.finish(code, nanoseconds: duration, receivedBytes: 0, sentBytes: 0)
    }

    /// An attempt began on a connection. It must end with ``attemptFinished(code:duration:received:sent:)``, once.
    public func attemptStarted() { attempts.start() }

    /// An attempt ended after `duration` nanoseconds, with so many bytes of messages received and sent, as the wire
    /// carried them, compressed and without frame headers.
    public func attemptFinished(code: StatusCode, duration: Int64, received: Int64, sent: Int64) {
      attempts.finish(code, nanoseconds: duration, receivedBytes: received, sentBytes: sent)
    }
  }

  private struct Key: Hashable {
    let name: MethodName
    let target: String
  }

  /// How many methods of targets have counts of their own; further ones share those of the method `other` of the
  /// target `other`. A gateway that learns its methods at run time would grow without bound otherwise.
  public static let methodLimit = 1_000

  private let methods = Mutex<[Key: Method]>([:])

  /// The metrics of a process's clients, shown by a registry. A registry has one at most.
  public init(registry: MetricsRegistry) {
    registry.add { [self] in families(methods.withLock { $0.map { ($0.key.target, $0.value) } }) }
  }

  /// The handle of a method of a target, which is named in its canonical form (`dns:///host:port`); the same ones give
  /// the same handle. Not for each call: it takes a lock.
  public func register(_ name: MethodName, kind: CallKind, target: String) -> Method {
    methods.withLock { methods in
      var key = Key(name: name, target: target)
      if methods[key] == nil, methods.count >= Self.methodLimit { key = Key(name: .other, target: "other") }
      if let method = methods[key] { return method }
      let method = Method(
        calls: MethodCells(key.name, kind: kind), attempts: MethodCells(key.name, kind: kind))
      methods[key] = method
      return method
    }
  }

  private func families(_ methods: [(target: String, method: Method)]) -> [MetricFamily] {
    let calls = methods.map { ($0.method.calls.snapshot(), [("grpc_target", $0.target)]) }
    let attempts = methods.map { ($0.method.attempts.snapshot(), [("grpc_target", $0.target)]) }
    var started = MetricFamily("grpc.client.attempt.started", kind: .counter, help: "Attempts begun.")
    for (attempt, pairs) in attempts {
      started.series.append(
        MetricSeries(MetricLabels([("grpc_method", attempt.name.full)] + pairs), .integer(attempt.started)))
    }
    return FamilyBuilder.goEcosystem(Self.byMethod(calls.map(\.0)), side: "client") + [started]
      + FamilyBuilder.byStatus(attempts, prefix: "grpc.client.attempt", of: "attempts")
      + FamilyBuilder.byStatus(calls, prefix: "grpc.client.call", of: "calls").prefix(1)
  }

  /// The Go ecosystem's names know no target: the calls of a method to all of them count together.
  private static func byMethod(_ calls: [MethodSnapshot]) -> [MethodSnapshot] {
    var sums: [MethodName: MethodSnapshot] = [:]
    for call in calls { sums[call.name] = sums[call.name]?.adding(call) ?? call }
    return Array(sums.values)
  }
}

extension MethodSnapshot {
  fileprivate func adding(_ other: MethodSnapshot) -> MethodSnapshot {
    MethodSnapshot(
      name: name, kind: kind,
      codes: zip(codes, other.codes).map {
        Code(
          code: $0.code, latency: $0.latency.adding($1.latency), received: $0.received.adding($1.received),
          sent: $0.sent.adding($1.sent))
      }, started: started &+ other.started, received: received &+ other.received, sent: sent &+ other.sent)
  }
}
