// SPDX-License-Identifier: Apache-2.0

/// How a client treats a service: which backend it picks, and per method how long a call may take, how large its
/// messages may be and whether it is tried again.
///
/// Made of gRPC's JSON form with ``init(parsing:)``, which checks everything that can be checked.
public struct ServiceConfig: Equatable, Sendable {
  /// How a backend is picked for a call.
  public var loadBalancing = LoadBalancing.pickFirst(shuffles: false)
  /// The service whose health decides whether a backend is picked; empty for the server as a whole, nil for none.
  public var healthCheckService: String?
  /// What keeps retries from adding to an overload; nil for nothing.
  public var retryThrottling: RetryThrottling?

  private var methods: [MethodKey: MethodConfig] = [:]

  /// What holds where nobody configured anything.
  public init() {}

  /// The configuration of a method: that of its name, else that of its service, else the default one.
  public func method(service: String, method: String) -> MethodConfig {
    methods[MethodKey(service: service, method: method)] ?? methods[MethodKey(service: service, method: "")]
      ?? methods[MethodKey(service: "", method: "")] ?? MethodConfig()
  }

  /// The configuration of a method by its path, `/service/method`.
  public func method(path: String) -> MethodConfig {
    let parts = path.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return method(service: "", method: "") }
    return method(service: String(Substring(parts[1])), method: String(Substring(parts[2])))
  }

  /// Configures a method, all methods of a service where `method` is empty, or every method where `service` is, too.
  public mutating func set(_ config: MethodConfig, service: String = "", method: String = "") {
    methods[MethodKey(service: service, method: method)] = config
  }

  /// Adds a method's configuration; false where the name has one.
  mutating func add(_ config: MethodConfig, service: String, method: String) -> Bool {
    let key = MethodKey(service: service, method: method)
    guard methods[key] == nil else { return false }
    methods[key] = config
    return true
  }
}

/// A method, all methods of a service, or every method: what is not named is empty.
private struct MethodKey: Hashable, Sendable {
  let service: String
  let method: String
}

/// How a backend is picked.
public enum LoadBalancing: Equatable, Sendable {
  /// The first address that can be connected to, for all calls; in random order where asked for.
  case pickFirst(shuffles: Bool)
  /// Every backend in turn.
  case roundRobin
  /// The least busy of so many backends, 2 to 10, that are chosen at random for each call.
  case leastRequest(choices: Int)
}

/// How a method's calls are treated. What is nil is left to the caller or to the client's defaults.
public struct MethodConfig: Equatable, Sendable {
  /// The longest that a call takes, all attempts together, in nanoseconds.
  public var timeout: Int64?
  /// Whether a call waits for a backend instead of failing while none can be reached.
  public var waitForReady: Bool?
  /// The largest request message in bytes.
  public var maxRequestBytes: Int?
  /// The largest response message in bytes.
  public var maxResponseBytes: Int?
  /// How a call that failed is tried again.
  public var recovery: RecoveryPolicy?

  /// Nothing configured.
  public init() {}
}

/// How a call is made more than once. A method has one way at most.
public enum RecoveryPolicy: Equatable, Sendable {
  /// One attempt after the other.
  case retry(RetryPolicy)
  /// Several attempts at one time; the first answer counts.
  case hedging(HedgingPolicy)
}

/// How a call that failed is tried again, one attempt after the other.
public struct RetryPolicy: Equatable, Sendable {
  /// How often a call is tried at most, the first time included: 2 to 5.
  public var maxAttempts: Int
  /// How long to wait before each further attempt.
  public var backoff: Backoff
  /// The codes after which another attempt is made.
  public var retryableCodes: Set<StatusCode>

  /// A policy.
  public init(maxAttempts: Int, backoff: Backoff, retryableCodes: Set<StatusCode>) {
    self.maxAttempts = maxAttempts
    self.backoff = backoff
    self.retryableCodes = retryableCodes
  }
}

/// How several attempts of a call are made at one time.
public struct HedgingPolicy: Equatable, Sendable {
  /// How many attempts are made at most: 2 to 5.
  public var maxAttempts: Int
  /// How long to wait for an answer before the next attempt begins, in nanoseconds; 0 begins all at once.
  public var delay: Int64
  /// The codes that do not end the call while other attempts run.
  public var nonFatalCodes: Set<StatusCode>

  /// A policy.
  public init(maxAttempts: Int, delay: Int64, nonFatalCodes: Set<StatusCode>) {
    self.maxAttempts = maxAttempts
    self.delay = delay
    self.nonFatalCodes = nonFatalCodes
  }
}
