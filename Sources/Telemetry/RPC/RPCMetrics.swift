// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import Synchronization

/// The metrics of a server's calls, under three sets of names: those of the Go ecosystem's interceptor
/// (`grpc_server_handled_total` and its kin), those of gRFC A66 (`grpc.server.call.duration`) and a short set
/// (`grpc_requests_total`).
///
/// Every method is registered before the server starts; calls of unregistered ones count as ``other``.
public final class RPCMetrics: Sendable {
  /// The handle of one method: what a call tells about itself.
  public struct Method: Sendable {
    let cells: MethodCells

    /// A call began. It must end with ``finished(code:duration:received:sent:)``, once.
    public func started() { cells.start() }
    /// Messages arrived whole.
    public func messageReceived(_ count: UInt64 = 1) { cells.receiveMessages(count) }
    /// Messages were handed to the connection.
    public func messageSent(_ count: UInt64 = 1) { cells.sendMessages(count) }

    /// A call ended: after `duration` nanoseconds, with so many bytes of messages received and sent, as the wire
    /// carried them, compressed and without frame headers.
    public func finished(code: StatusCode, duration: Int64, received: Int64, sent: Int64) {
      cells.finish(code, nanoseconds: duration, receivedBytes: received, sentBytes: sent)
    }
  }

  /// The handle of calls of unregistered methods.
  public let other: Method
  private let methods: Mutex<[MethodName: MethodCells]>

  /// The metrics of a server, shown by a registry. A registry has one at most.
  public init(registry: MetricsRegistry) {
    let cells = MethodCells(.other, kind: .unary)
    other = Method(cells: cells)
    methods = Mutex([.other: cells])
    registry.add { [self] in ServerFamilies.make(methods.withLock { $0.values.map { $0.snapshot() } }) }
  }

  /// The handle of a method; the same name gives the same one. Not for each call: it takes a lock.
  public func register(_ name: MethodName, kind: CallKind) -> Method {
    methods.withLock { methods in
      if let cells = methods[name] { return Method(cells: cells) }
      let cells = MethodCells(name, kind: kind)
      methods[name] = cells
      return Method(cells: cells)
    }
  }
}

/// The families of a server's calls.
private enum ServerFamilies {
  static func make(_ methods: [MethodSnapshot]) -> [MetricFamily] {
    FamilyBuilder.goEcosystem(methods, side: "server") + openTelemetry(methods) + short(methods)
  }

  private static func openTelemetry(_ methods: [MethodSnapshot]) -> [MetricFamily] {
    var started = MetricFamily("grpc.server.call.started", kind: .counter, help: "Calls begun.")
    for method in methods {
      started.series.append(MetricSeries(MetricLabels([("grpc_method", method.name.full)]), .integer(method.started)))
    }
    return [started]
      + FamilyBuilder.byStatus(
        methods.map { ($0, []) }, prefix: "grpc.server.call", of: "calls")
  }

  private static func short(_ methods: [MethodSnapshot]) -> [MetricFamily] {
    var requests = MetricFamily("grpc_requests", kind: .counter, help: "Calls ended, by method and code.")
    var duration = MetricFamily(
      "grpc_request_duration", kind: .histogram, unit: .seconds, help: "How long calls took, in seconds.")
    var active = MetricFamily("grpc_active_requests", kind: .gauge, help: "Calls under way.")
    for method in methods {
      let label = ("method", "/" + method.name.full)
      for code in method.codes where code.latency.count > 0 || code.code == .ok {
        requests.series.append(
          MetricSeries(MetricLabels([label, ("code", code.code.name)]), .integer(code.latency.count)))
      }
      let labels = MetricLabels([label])
      duration.series.append(MetricSeries(labels, .histogram(method.latency.narrowed(to: LatencyBounds.prometheus))))
      active.series.append(MetricSeries(labels, .integer(method.active)))
    }
    return [requests, duration, active]
  }
}
