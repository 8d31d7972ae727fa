// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCMethods
public import Health
internal import Synchronization

/// `grpc.health.v1.Health`: what a server says about its services, by Check, Watch and List.
///
/// ```
/// serving ──shutdown()──► every service NOT_SERVING, changes wait ──resume()──► as last set
/// ```
public final class HealthService: Sendable {
  private struct State {
    var statuses: [String: ServingStatus]
    var isShutDown = false
    var watchers: [String: [Int: AsyncStream<ServingStatus>.Continuation]] = [:]
    var nextWatcher = 0
  }

  /// Services that List names at most; more: RESOURCE_EXHAUSTED.
  public static let maxListedServices = 100

  private let state: Mutex<State>
  private let exempt: Set<String>

  /// A server that serves as a whole (`""`), and these services.
  ///
  /// What `exempt` names says SERVING also through a shutdown: a service by which an orchestrator asks whether the
  /// process is alive, and not whether it takes calls.
  public init(services: [String] = [], exempt: Set<String> = []) {
    var statuses: [String: ServingStatus] = ["": .serving]
    for service in services + exempt { statuses[service] = .serving }
    state = Mutex(State(statuses: statuses))
    self.exempt = exempt
  }

  /// Sets a service's status, and tells whoever watches it if it is another than before.
  public func set(_ status: ServingStatus, for service: String) {
    change { $0.statuses[service] = status }
  }

  /// Says NOT_SERVING for every service that is not exempt, until ``resume()``.
  public func shutdown() { change { $0.isShutDown = true } }

  /// Says again what was set last, during the shutdown too.
  public func resume() { change { $0.isShutDown = false } }

  /// A service's status as clients hear it; nil for an unknown one.
  public func status(of service: String) -> ServingStatus? {
    state.withLock { status(of: service, in: $0) }
  }

  /// The service, to be served with the others.
  public var service: Service {
    Service(
      HealthMethods.service,
      [
        handle(HealthMethods.check, options: .health) { [self] request, _ in
          guard let status = status(of: request.service) else { throw RPCError(.notFound, "unknown service") }
          return HealthCheckResponse(status: status)
        },
        handle(HealthMethods.watch, options: .watch) { [self] request, writer, _ in
          for await status in changes(of: request.service) {
            try await writer.write(HealthCheckResponse(status: status))
          }
          throw RPCError(.cancelled, "the watch was cancelled")
        },
        handle(HealthMethods.list, options: .health) { [self] _, _ in try list() },
      ])
  }

  // MARK: - Helpers

  private func status(of service: String, in state: borrowing State) -> ServingStatus? {
    guard let status = state.statuses[service] else { return nil }
    return state.isShutDown && !exempt.contains(service) ? .notServing : status
  }

  private func list() throws -> HealthListResponse {
    try state.withLock { state in
      guard state.statuses.count <= Self.maxListedServices else {
        throw RPCError(.resourceExhausted, "more than \(Self.maxListedServices) services: ask for one of them")
      }
      var statuses = state.statuses
      for service in statuses.keys { statuses[service] = status(of: service, in: state) }
      return HealthListResponse(statuses: statuses)
    }
  }

  /// The status at once, and each other one as it comes; a slow reader misses what is overtaken.
  private func changes(of service: String) -> AsyncStream<ServingStatus> {
    let (stream, continuation) = AsyncStream.makeStream(of: ServingStatus.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.nextWatcher += 1
      state.watchers[service, default: [:]][state.nextWatcher] = continuation
      continuation.yield(status(of: service, in: state) ?? .serviceUnknown)
      return state.nextWatcher
    }
    continuation.onTermination = { [weak self] _ in self?.forget(id, of: service) }
    return stream
  }

  private func forget(_ watcher: Int, of service: String) {
    state.withLock { state in
      state.watchers[service]?[watcher] = nil
      if state.watchers[service]?.isEmpty == true { state.watchers[service] = nil }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      let before = state.watchers.keys.map { ($0, status(of: $0, in: state)) }
      body(&state)
      for (service, old) in before {
        let new = status(of: service, in: state)
        guard new != old else { continue }
        for watcher in (state.watchers[service] ?? [:]).values { watcher.yield(new ?? .serviceUnknown) }
      }
    }
  }
}

extension MethodOptions {
  fileprivate static var health: MethodOptions {
    var options = MethodOptions()
    options.isAlwaysAdmitted = true
    return options
  }

  fileprivate static var watch: MethodOptions {
    var options = health
    options.endsOnDrain = true
    return options
  }
}

/// The methods of `grpc.health.v1.Health`.
public enum HealthMethods {
  /// The service's full name.
  public static let service = "grpc.health.v1.Health"
  /// Asks for one service's status, once.
  public static let check = Method<Unary, HealthCheckRequest, HealthCheckResponse>(
    service: service, name: "Check", request: .health, response: .health)
  /// Streams one service's status, at once and at each change.
  public static let watch = Method<ServerStreaming, HealthCheckRequest, HealthCheckResponse>(
    service: service, name: "Watch", request: .health, response: .health)
  /// Asks for the status of every service.
  public static let list = Method<Unary, [UInt8], HealthListResponse>(
    service: service, name: "List", request: .bytes, response: .healthList)
}

extension MessageCodec where Message == HealthCheckRequest {
  static let health = MessageCodec(
    encode: { MessageFrame($0.encoded) }, decode: { try HealthCheckRequest(decoding: $0) })
}

extension MessageCodec where Message == HealthCheckResponse {
  static let health = MessageCodec(
    encode: { MessageFrame($0.encoded) }, decode: { try HealthCheckResponse(decoding: $0) })
}

extension MessageCodec where Message == HealthListResponse {
  static let healthList = MessageCodec(
    encode: { MessageFrame($0.encoded) }, decode: { try HealthListResponse(decoding: $0) })
}
