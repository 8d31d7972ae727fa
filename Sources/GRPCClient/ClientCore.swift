// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What all of a client's event loops share.
final class ClientCore: Sendable {
  let configuration: ClientConfiguration
  let connector: Connector
  let resolution: Resolution
  let chain: ClientInterceptorChain
  let throttle: SharedThrottle?
  /// The name that requests call the server by.
  let authority: String

  private let isSecure: Bool
  private let states: Mutex<[ObjectIdentifier: ConnectivityState]>
  private let observers = Mutex<[Int: AsyncStream<ConnectivityState>.Continuation]>([:])

  init(
    _ configuration: ClientConfiguration, authority: String, connector: Connector, resolution: Resolution,
    interceptors: [any ClientInterceptor]
  ) {
    self.configuration = configuration
    self.connector = connector
    self.resolution = resolution
    self.authority = configuration.authority ?? authority
    chain = ClientInterceptorChain(interceptors)
    throttle = configuration.serviceConfig.retryThrottling.map { SharedThrottle($0) }
    states = Mutex([:])
    if case .plaintext = configuration.security { isSecure = false } else { isSecure = true }
  }

  // MARK: - Calls

  func methodConfig(_ method: MethodInfo) -> MethodConfig {
    configuration.serviceConfig.method(service: method.service, method: method.name)
  }

  /// The head of a request that says nothing but where it goes.
  func request(path: String, authority: String) -> ClientRequest {
    ClientRequest(
      path: path, authority: authority, isSecure: isSecure, userAgent: configuration.userAgent,
      acceptsGzip: configuration.acceptsCompression)
  }

  // MARK: - State

  var state: ConnectivityState { states.withLock { ConnectivityState.best(of: Array($0.values)) } }

  func stateChanged(_ state: ConnectivityState, of loop: ClientLoop) {
    let change = states.withLock { states -> ConnectivityState? in
      let old = ConnectivityState.best(of: Array(states.values))
      states[ObjectIdentifier(loop)] = state
      let new = ConnectivityState.best(of: Array(states.values))
      return new == old ? nil : new
    }
    guard let change else { return }
    let ended = observers.withLock { observers in
      for observer in observers.values { observer.yield(change) }
      return change == .shutdown ? Array(observers.values) : []
    }
    // Not under the lock: an observer that ends is forgotten.
    for observer in ended { observer.finish() }
  }

  /// Tells the state now and every later one.
  func observe() -> AsyncStream<ConnectivityState> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: ConnectivityState.self, bufferingPolicy: .bufferingNewest(64))
    let (id, isOver) = observers.withLock { observers in
      let id = (observers.keys.max() ?? 0) + 1
      observers[id] = continuation
      let state = state
      continuation.yield(state)
      return (id, state == .shutdown)
    }
    continuation.onTermination = { [weak self] _ in self?.forget(id) }
    if isOver { continuation.finish() }
    return stream
  }

  private func forget(_ observer: Int) { observers.withLock { $0[observer] = nil } }
}
