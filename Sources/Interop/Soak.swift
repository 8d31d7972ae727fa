// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCClient
internal import GRPCMethods

/// The soak of gRPC's interoperability tests, `rpc_soak`: one large call after another over one client.
public struct Soak: Sendable {
  /// How many calls.
  public var iterations = 10
  /// How many of them may fail.
  public var maxFailures = 0
  /// The time from the beginning of one call to that of the next, at least.
  public var interval = Duration.zero
  /// Is told of each call, in one line.
  public var report: @Sendable (String) -> Void = { _ in }

  /// Ten calls, none of which may fail.
  public init() {}

  func run(_ client: GRPCClient) async throws {
    let clock = ContinuousClock()
    var failures = 0
    for iteration in 0..<iterations {
      let start = clock.now
      let call = CallProbe.Latest()
      let outcome: String
      do {
        try await CallProbe.$latest.withValue(call) { try await InteropCase.largeUnary(client) }
        outcome = "peer: \(call.peer) succeeded"
      } catch {
        failures += 1
        outcome = "failed: \((error as? RPCError)?.status.message ?? "\(error)")"
      }
      let time = start.duration(to: clock.now) / .milliseconds(1)
      report("soak iteration: \(iteration) elapsed_ms: \(Int(time)) \(outcome)")
      if iteration + 1 < iterations { try await Task.sleep(until: start + interval) }
    }
    guard failures <= maxFailures else {
      throw InteropFailure(description: "\(failures) of \(iterations) calls failed, and \(maxFailures) may")
    }
  }
}

extension InteropCase {
  /// The soak as a case. It is none of ``all``, since it takes as long as one likes.
  public static func soak(_ soak: Soak) -> InteropCase { InteropCase("rpc_soak") { try await soak.run($0) } }
}
