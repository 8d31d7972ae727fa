// SPDX-License-Identifier: Apache-2.0

internal import JSON

extension ServiceConfig {
  /// The largest document, in bytes. Resolvers deliver far smaller ones.
  public static let sizeLimit = 1 << 20

  /// How many attempts a call has at most, whatever a policy asks for (gRFC A6).
  private static let attemptLimit = 5

  /// Reads gRPC's JSON form. Fields that are not known are passed over; a known field that is wrong is an error that
  /// names its path, as a config that is only partly in force would surprise.
  public init(parsing text: String) throws(ServiceConfigError) {
    var limits = JSONLimits()
    limits.bytes = Self.sizeLimit
    let document: JSONValue
    do throws(JSONError) { document = try JSONValue(parsing: text, limits: limits) } catch {
      throw ServiceConfigError("", error.message)
    }
    self.init()
    let root = ConfigField(path: "", value: document)
    if let list = try root.member("loadBalancingConfig") {
      loadBalancing = try Self.loadBalancing(list)
    } else if let name = try root.member("loadBalancingPolicy") {
      loadBalancing = try Self.namedPolicy(name)
    }
    if let health = try root.member("healthCheckConfig") {
      healthCheckService = try health.member("serviceName").map { field throws(ServiceConfigError) in
        try field.string()
      }
    }
    if let throttling = try root.member("retryThrottling") { retryThrottling = try Self.throttling(throttling) }
    if let list = try root.member("methodConfig") {
      for field in try list.elements() { try addMethods(field) }
    }
  }

  /// The first policy of the list that is known; each element is an object of one member.
  private static func loadBalancing(_ list: ConfigField) throws(ServiceConfigError) -> LoadBalancing {
    for element in try list.elements() {
      let members = try element.members()
      guard let policy = members.first, members.count == 1 else { throw element.error("must have exactly one member") }
      guard case .object(let names) = element.value, let name = names.first?.name else { continue }
      switch name {
      case "pick_first":
        let shuffles = try policy.member("shuffleAddressList").map { field throws(ServiceConfigError) in
          try field.boolean()
        }
        return .pickFirst(shuffles: shuffles ?? false)
      case "round_robin":
        _ = try policy.members()
        return .roundRobin
      case "least_request_experimental":
        let choices = try policy.member("choiceCount").map { field throws(ServiceConfigError) in
          try field.integer(2...Int.max)
        }
        return .leastRequest(choices: min(choices ?? 2, 10))
      default: continue
      }
    }
    throw list.error("names no known policy")
  }

  /// The older form: one name, in either case.
  private static func namedPolicy(_ field: ConfigField) throws(ServiceConfigError) -> LoadBalancing {
    switch try field.string() {
    case "pick_first", "PICK_FIRST": .pickFirst(shuffles: false)
    case "round_robin", "ROUND_ROBIN": .roundRobin
    default: throw field.error("is no known policy")
    }
  }

  private static func throttling(_ field: ConfigField) throws(ServiceConfigError) -> RetryThrottling {
    let tokens = try field.required("maxTokens").integer(1...1_000)
    let ratio = try field.required("tokenRatio")
    // Three decimal places count. What the conversion to binary took away is given back before the rest is cut.
    let thousandths = min(try ratio.positive() * 1_000 + 0.000_001, 1_000_000)
    guard thousandths >= 1 else { throw ratio.error("must be 0.001 at least") }
    return RetryThrottling(maxTokens: tokens, ratioThousandths: Int(thousandths))
  }

  private mutating func addMethods(_ field: ConfigField) throws(ServiceConfigError) {
    let config = try Self.method(field)
    guard let names = try field.member("name") else { return }  // in force nowhere
    for name in try names.elements() {
      let service = try name.member("service").map { field throws(ServiceConfigError) in try field.string() } ?? ""
      let method = try name.member("method").map { field throws(ServiceConfigError) in try field.string() } ?? ""
      guard !service.isEmpty || method.isEmpty else { throw name.error("has a method but no service") }
      guard add(config, service: service, method: method) else { throw name.error("is configured twice") }
    }
  }

  private static func method(_ field: ConfigField) throws(ServiceConfigError) -> MethodConfig {
    var config = MethodConfig()
    if let timeout = try field.member("timeout") { config.timeout = try timeout.duration() }
    if let waits = try field.member("waitForReady") { config.waitForReady = try waits.boolean() }
    if let size = try field.member("maxRequestMessageBytes") { config.maxRequestBytes = try size.integer(messageSizes) }
    if let size = try field.member("maxResponseMessageBytes") {
      config.maxResponseBytes = try size.integer(messageSizes)
    }
    let retry = try field.member("retryPolicy")
    let hedging = try field.member("hedgingPolicy")
    if retry != nil, hedging != nil { throw field.error("has both a retryPolicy and a hedgingPolicy") }
    if let retry { config.recovery = .retry(try Self.retryPolicy(retry)) }
    if let hedging { config.recovery = .hedging(try Self.hedgingPolicy(hedging)) }
    return config
  }

  /// What a 32-bit field without a sign holds.
  private static let messageSizes = 0...Int(UInt32.max)

  private static func attempts(_ policy: ConfigField) throws(ServiceConfigError) -> Int {
    min(try policy.required("maxAttempts").integer(2...Int.max), attemptLimit)
  }

  private static func retryPolicy(_ field: ConfigField) throws(ServiceConfigError) -> RetryPolicy {
    let attempts = try attempts(field)
    let backoff = Backoff(
      initial: try field.required("initialBackoff").positiveDuration(),
      multiplier: try field.required("backoffMultiplier").positive(),
      limit: try field.required("maxBackoff").positiveDuration())
    let list = try field.required("retryableStatusCodes")
    let codes = try list.codes()
    guard !codes.isEmpty else { throw list.error("must not be empty") }
    return RetryPolicy(maxAttempts: attempts, backoff: backoff, retryableCodes: codes)
  }

  private static func hedgingPolicy(_ field: ConfigField) throws(ServiceConfigError) -> HedgingPolicy {
    let attempts = try attempts(field)
    let delay = try field.member("hedgingDelay").map { field throws(ServiceConfigError) in try field.duration() }
    let codes = try field.member("nonFatalStatusCodes").map { field throws(ServiceConfigError) in try field.codes() }
    return HedgingPolicy(maxAttempts: attempts, delay: delay ?? 0, nonFatalCodes: codes ?? [])
  }
}
