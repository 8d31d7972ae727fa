// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import GRPCMethods
public import NIOCore

/// What is known of a service's methods and servers before they are called.
public struct ServiceConfig: Sendable {
  /// How calls are spread over the servers.
  public var loadBalancing = LoadBalancing.pickFirst
  /// The service whose health decides whether a server gets calls; nil asks none. ``LoadBalancing/pickFirst`` never
  /// asks.
  public var healthCheckServiceName: String?
  /// What methods do otherwise than others: the most specific name counts.
  public var methods: [MethodConfig] = []
  /// When retries stop because too many of them fail; nil never stops them.
  public var retryThrottling: RetryThrottling?

  /// A configuration that asks for nothing.
  public init() {}
}

/// How calls are spread over the servers.
public enum LoadBalancing: Equatable, Sendable {
  /// All to the first server that can be reached.
  case pickFirst
  /// To one after another.
  case roundRobin
  /// To the one with the fewest calls out of so many that chance names; 2 to 10.
  case leastRequest(choiceCount: Int)
}

/// What the calls of some methods do.
public struct MethodConfig: Sendable {
  /// Which methods are meant.
  public enum Name: Hashable, Sendable {
    /// One method.
    case method(service: String, name: String)
    /// All methods of a service.
    case service(String)
    /// All that no other name means.
    case all
  }

  /// Which methods are meant.
  public var names: [Name]
  /// The longest time of a call.
  public var timeout: TimeAmount?
  /// Whether calls wait while no server can be reached.
  public var waitsForReady: Bool?
  /// The largest request message in bytes.
  public var maxRequestBytes: Int?
  /// The largest response message in bytes.
  public var maxResponseBytes: Int?
  /// What is done about failures.
  public var recovery: CallRecovery?

  /// A configuration of methods that asks for nothing.
  public init(_ names: [Name]) { self.names = names }
}

/// What is done about calls that fail: one of two, never both.
public enum CallRecovery: Sendable {
  /// Failed calls are sent again.
  case retry(RetryPolicy)
  /// Slow calls are sent several times, and the first answer counts.
  case hedge(HedgingPolicy)
}

/// When and how often failed calls are sent again (gRFC A6).
public struct RetryPolicy: Sendable {
  /// How often a call is sent at most, the first time included; more than ``maxAttemptsLimit`` count as that many.
  public var maxAttempts: Int
  /// How long to wait in between.
  public var backoff: Backoff
  /// The statuses that a call is sent again for.
  public var codes: Set<StatusCode>

  /// A policy.
  public init(maxAttempts: Int, backoff: Backoff, codes: Set<StatusCode>) {
    self.maxAttempts = maxAttempts
    self.backoff = backoff
    self.codes = codes
  }

  /// The most that any call is sent.
  public static let maxAttemptsLimit = 5
}

/// When slow calls are sent again without waiting for the first to end (gRFC A6). For methods that may run twice.
public struct HedgingPolicy: Sendable {
  /// How often a call is sent at most; more than ``RetryPolicy/maxAttemptsLimit`` count as that many.
  public var maxAttempts: Int
  /// How long to wait for an answer before the call is sent once more.
  public var delay: TimeAmount
  /// The statuses after which the others are waited for, and the next is sent at once.
  public var nonFatalCodes: Set<StatusCode>

  /// A policy.
  public init(maxAttempts: Int, delay: TimeAmount, nonFatalCodes: Set<StatusCode> = []) {
    self.maxAttempts = maxAttempts
    self.delay = delay
    self.nonFatalCodes = nonFatalCodes
  }
}

/// A growing time to wait.
public struct Backoff: Sendable {
  /// The first time.
  public var initial: TimeAmount
  /// The longest time.
  public var maximum: TimeAmount
  /// How much longer each time is than the one before it.
  public var multiplier: Double
  /// The part of a time that chance adds or takes away, 0 to 1.
  public var jitter: Double

  /// A time that grows from `initial` by `multiplier` to `maximum`.
  public init(
    initial: TimeAmount = .seconds(1), maximum: TimeAmount = .seconds(120), multiplier: Double = 1.6,
    jitter: Double = 0.2
  ) {
    self.initial = initial
    self.maximum = maximum
    self.multiplier = multiplier
    self.jitter = jitter
  }

  /// How long to wait after so many failures before it, with chance as a number from 0 to 1.
  func delay(after failures: Int, chance: Double = .random(in: 0...1)) -> TimeAmount {
    var nanoseconds = Double(max(0, initial.nanoseconds))
    let maximum = Double(max(0, maximum.nanoseconds))
    // Beyond so many steps any multiplier has reached the maximum, or never will.
    for _ in 0..<min(max(0, failures), 64) where nanoseconds < maximum { nanoseconds *= max(1, multiplier) }
    nanoseconds = min(nanoseconds, maximum)
    let part = min(max(0, jitter), 1)
    return .nanoseconds(Int64(min(nanoseconds * (1 - part + 2 * part * chance), 9e18)))
  }
}

/// When retries stop because too many of them fail (gRFC A6): each failure takes a token, each success gives a part of
/// one back, and no call is sent again while half of them or more are gone.
public struct RetryThrottling: Equatable, Sendable {
  /// The tokens to start with.
  public var maxTokens: Double
  /// What a success gives back.
  public var tokenRatio: Double

  /// Tokens, and what a success gives back.
  public init(maxTokens: Double, tokenRatio: Double) {
    self.maxTokens = maxTokens
    self.tokenRatio = tokenRatio
  }
}

/// A service configuration's methods by their paths' parts.
struct MethodConfigTable: Sendable {
  private var byName: [MethodConfig.Name: MethodConfig] = [:]

  init(_ methods: [MethodConfig]) {
    for method in methods {
      for name in method.names where byName[name] == nil { byName[name] = method }
    }
  }

  /// What holds for a method: the most specific entry counts alone.
  subscript(method: MethodInfo) -> MethodConfig? {
    if byName.isEmpty { return nil }
    return byName[.method(service: method.service, name: method.name)] ?? byName[.service(method.service)]
      ?? byName[.all]
  }
}
