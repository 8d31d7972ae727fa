// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import GRPC

private func failure(_ text: String) -> String? {
  do throws(ServiceConfigError) {
    _ = try ServiceConfig(parsing: text)
    return nil
  } catch { return error.message }
}

private func method(_ members: String) -> String { #"{"methodConfig":[{"name":[{}],\#(members)}]}"# }

private func retry(_ changed: (String, String)? = nil, without: String? = nil) -> String {
  var members = [
    "maxAttempts": "3", "initialBackoff": #""0.1s""#, "maxBackoff": #""1s""#, "backoffMultiplier": "2",
    "retryableStatusCodes": #"["UNAVAILABLE"]"#,
  ]
  if let changed { members[changed.0] = changed.1 }
  if let without { members[without] = nil }
  let text = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
  return method("\"retryPolicy\":{\(text)}")
}

@Suite struct ServiceConfigTests {
  @Test("a whole config is read as it is meant")
  func whole() throws {
    let config = try ServiceConfig(
      parsing: """
        {
          "loadBalancingConfig": [{"xds_experimental": {}}, {"round_robin": {}}, {"pick_first": {}}],
          "healthCheckConfig": {"serviceName": ""},
          "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
          "methodConfig": [{
            "name": [{"service": "a.S", "method": "M"}, {"service": "b.S"}],
            "timeout": "1.5s", "waitForReady": true, "maxRequestMessageBytes": 1024, "maxResponseMessageBytes": "2048",
            "retryPolicy": {
              "maxAttempts": 9, "initialBackoff": "0.1s", "maxBackoff": "10s", "backoffMultiplier": 1.5,
              "retryableStatusCodes": ["unavailable", 4, "RESOURCE_EXHAUSTED"]
            }
          }, {
            "name": [{}],
            "hedgingPolicy": {"maxAttempts": 2, "hedgingDelay": "0.05s", "nonFatalStatusCodes": ["INTERNAL"]}
          }, {"timeout": "7s"}],
          "somethingNew": [1, 2]
        }
        """)
    #expect(config.loadBalancing == .roundRobin)
    #expect(config.healthCheckService == "")
    #expect(config.retryThrottling == RetryThrottling(maxTokens: 10, ratioThousandths: 100))
    let first = config.method(service: "a.S", method: "M")
    #expect(first.timeout == 1_500_000_000)
    #expect(first.waitForReady == true)
    #expect(first.maxRequestBytes == 1_024)
    #expect(first.maxResponseBytes == 2_048)
    let backoff = Backoff(initial: 100_000_000, multiplier: 1.5, limit: 10_000_000_000)
    #expect(
      first.recovery
        == .retry(
          RetryPolicy(
            maxAttempts: 5, backoff: backoff, retryableCodes: [.unavailable, .deadlineExceeded, .resourceExhausted])))
    #expect(config.method(path: "/b.S/Any") == first)
    #expect(
      config.method(path: "/a.S/Other").recovery
        == .hedging(HedgingPolicy(maxAttempts: 2, delay: 50_000_000, nonFatalCodes: [.internal])))
  }

  @Test("a method's own config beats its service's, and that the default one")
  func lookup() throws {
    let config = try ServiceConfig(
      parsing: """
        {"methodConfig": [{"name": [{}], "timeout": "1s"}, {"name": [{"service": "s"}], "timeout": "2s"},
        {"name": [{"service": "s", "method": "m"}], "timeout": "3s"}]}
        """)
    for (path, seconds) in [("/s/m", 3), ("/s/n", 2), ("/t/m", 1), ("nonsense", 1), ("/s/m/x", 1), ("", 1)] {
      #expect(config.method(path: path).timeout == Int64(seconds) * 1_000_000_000, "\(path)")
    }
  }

  @Test(
    "an empty config leaves everything to the client, null is absent", arguments: ["{}", #"{"methodConfig":null}"#])
  func empty(text: String) throws {
    #expect(try ServiceConfig(parsing: text) == ServiceConfig())
    #expect(ServiceConfig().method(path: "/a/b") == MethodConfig())
    #expect(ServiceConfig().loadBalancing == .pickFirst(shuffles: false))
  }

  @Test(
    "the first known policy is taken",
    arguments: [
      (#"[{"pick_first":{"shuffleAddressList":true}}]"#, LoadBalancing.pickFirst(shuffles: true)),
      (#"[{"x":1},{"least_request_experimental":{}}]"#, .leastRequest(choices: 2)),
      (#"[{"least_request_experimental":{"choiceCount":50}}]"#, .leastRequest(choices: 10)),
      (#"[{"round_robin":{}},{"pick_first":{"shuffleAddressList":7}}]"#, .roundRobin),
    ])
  func policies(list: String, policy: LoadBalancing) throws {
    #expect(try ServiceConfig(parsing: #"{"loadBalancingConfig":\#(list)}"#).loadBalancing == policy)
    #expect(try ServiceConfig(parsing: #"{"loadBalancingPolicy":"ROUND_ROBIN"}"#).loadBalancing == .roundRobin)
  }

  @Test(
    "what is wrong is told with its path",
    arguments: [
      ("", "line 1, column 1: the document ends too early"), ("[]", "must be an object"),
      (#"{"a":1,"a":2}"#, #"line 1, column 8: the key "a" stands twice in one object"#),
      (#"{"loadBalancingConfig":{}}"#, "loadBalancingConfig: must be an array"),
      (#"{"loadBalancingConfig":[]}"#, "loadBalancingConfig: names no known policy"),
      (#"{"loadBalancingConfig":[{}]}"#, "loadBalancingConfig[0]: must have exactly one member"),
      (#"{"loadBalancingConfig":[{"a":{},"b":{}}]}"#, "loadBalancingConfig[0]: must have exactly one member"),
      (#"{"loadBalancingConfig":[{"round_robin":1}]}"#, "loadBalancingConfig[0].round_robin: must be an object"),
      (
        #"{"loadBalancingConfig":[{"least_request_experimental":{"choiceCount":1}}]}"#,
        "loadBalancingConfig[0].least_request_experimental.choiceCount: must be an integer, 2 at least"
      ),
      (#"{"loadBalancingPolicy":"grpclb"}"#, "loadBalancingPolicy: is no known policy"),
      (#"{"healthCheckConfig":{"serviceName":1}}"#, "healthCheckConfig.serviceName: must be a string"),
      (#"{"retryThrottling":{"tokenRatio":1}}"#, "retryThrottling: needs maxTokens"),
      (
        #"{"retryThrottling":{"maxTokens":1001,"tokenRatio":1}}"#,
        "retryThrottling.maxTokens: must be an integer, 1 at least and 1000 at most"
      ),
      (
        #"{"retryThrottling":{"maxTokens":1,"tokenRatio":0}}"#, "retryThrottling.tokenRatio: must be a number above 0"
      ),
      (
        #"{"retryThrottling":{"maxTokens":1,"tokenRatio":0.0004}}"#,
        "retryThrottling.tokenRatio: must be 0.001 at least"
      ),
      (#"{"methodConfig":{}}"#, "methodConfig: must be an array"),
      (#"{"methodConfig":[{"name":[{"method":"m"}]}]}"#, "methodConfig[0].name[0]: has a method but no service"),
      (
        #"{"methodConfig":[{"name":[{}]},{"name":[{"service":"a"},{"service":""}]}]}"#,
        "methodConfig[1].name[1]: is configured twice"
      ),
      (method(#""timeout":"1""#), #"methodConfig[0].timeout: must be a duration in seconds, as in "1.5s""#),
      (method(#""timeout":"-1s""#), #"methodConfig[0].timeout: must be a duration in seconds, as in "1.5s""#),
      (method(#""timeout":1"#), "methodConfig[0].timeout: must be a string"),
      (method(#""waitForReady":"yes""#), "methodConfig[0].waitForReady: must be true or false"),
      (
        method(#""maxRequestMessageBytes":-1"#),
        "methodConfig[0].maxRequestMessageBytes: must be an integer, 0 at least and 4294967295 at most"
      ),
      (
        method(#""retryPolicy":{},"hedgingPolicy":{}"#), "methodConfig[0]: has both a retryPolicy and a hedgingPolicy"
      ),
      (retry(("maxAttempts", "1")), "methodConfig[0].retryPolicy.maxAttempts: must be an integer, 2 at least"),
      (retry(("maxAttempts", "2.5")), "methodConfig[0].retryPolicy.maxAttempts: must be an integer, 2 at least"),
      (retry(without: "maxAttempts"), "methodConfig[0].retryPolicy: needs maxAttempts"),
      (retry(("initialBackoff", #""0s""#)), "methodConfig[0].retryPolicy.initialBackoff: must be longer than 0s"),
      (retry(without: "maxBackoff"), "methodConfig[0].retryPolicy: needs maxBackoff"),
      (retry(("backoffMultiplier", "0")), "methodConfig[0].retryPolicy.backoffMultiplier: must be a number above 0"),
      (
        retry(("backoffMultiplier", "1e999")), "methodConfig[0].retryPolicy.backoffMultiplier: must be a number above 0"
      ),
      (retry(("retryableStatusCodes", "[]")), "methodConfig[0].retryPolicy.retryableStatusCodes: must not be empty"),
      (
        retry(("retryableStatusCodes", #"[14,"NOPE"]"#)),
        "methodConfig[0].retryPolicy.retryableStatusCodes[1]: is no status code"
      ),
      (
        retry(("retryableStatusCodes", "[17]")),
        "methodConfig[0].retryPolicy.retryableStatusCodes[0]: is no status code"
      ),
      (method(#""hedgingPolicy":{}"#), "methodConfig[0].hedgingPolicy: needs maxAttempts"),
    ])
  func refusals(text: String, message: String) {
    #expect(failure(text) == message)
  }

  @Test(
    "durations are those of Protobuf's JSON form",
    arguments: [
      ("1s", 1_000_000_000), ("0s", 0), ("1.5s", 1_500_000_000), ("-0.25s", -250_000_000), ("0.000000001s", 1),
      ("315576000000s", .max), ("315576000001s", nil), ("1", nil), ("s", nil), (".5s", nil), ("1.s", nil),
      ("1.0000000001s", nil), ("1ms", nil), ("+1s", nil), ("1e3s", nil), (" 1s", nil), ("--1s", nil), ("1.-5s", nil),
      ("", nil),
    ] as [(String, Int64?)])
  func durations(text: String, nanoseconds: Int64?) {
    #expect(JSONDuration.parse(text) == nanoseconds)
  }

  @Test("mutated configs are refused or within every bound", arguments: [1, 2])
  func mutated(seed: UInt64) {
    var random = SeededGenerator(seed)
    let source = Array(retry().utf8)
    let spice = Array(#"0123456789-."s{}[],:eE"#.utf8)
    var read = 0
    for _ in 0..<5_000 {
      var bytes = source
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = spice[Int.random(in: 0..<spice.count, using: &random)]
      }
      guard let config = try? ServiceConfig(parsing: String(decoding: bytes, as: UTF8.self)) else { continue }
      read += 1
      guard case .retry(let policy) = config.method(path: "/a/b").recovery else { continue }
      #expect((2...5).contains(policy.maxAttempts))
      #expect(policy.backoff.delay(before: 4, random: 1) >= 0)
      #expect(!policy.retryableCodes.isEmpty)
    }
    #expect(read > 100)
  }
}

@Suite struct RetryPolicyTests {
  @Test("retries stop when half of the tokens are gone and go on when successes gave enough back")
  func throttle() {
    var throttle = RetryThrottle(RetryThrottling(maxTokens: 4, ratioThousandths: 500))
    var allowed: [Bool] = []
    for step in "--+-+++++++---" {
      if step == "-" { throttle.attemptFailed() } else { throttle.attemptSucceeded() }
      allowed.append(throttle.allowsRetry)
    }
    // Tokens: 3, 2, 2.5, 1.5, 2, 2.5, 3, 3.5, 4, 4, 4, 3, 2, 1.
    #expect(
      allowed == [true, false, true, false, false, true, true, true, true, true, true, true, false, false])
  }

  @Test("a throttle of one token allows retries until the first failure, and never goes below zero")
  func smallThrottle() {
    var throttle = RetryThrottle(RetryThrottling(maxTokens: 1, ratioThousandths: 1))
    #expect(throttle.allowsRetry)
    for _ in 0..<5 { throttle.attemptFailed() }
    for _ in 0..<500 { throttle.attemptSucceeded() }
    #expect(!throttle.allowsRetry)
    throttle.attemptSucceeded()
    #expect(throttle.allowsRetry)
  }

  @Test(
    "waits grow to their limit, a fifth up or down",
    arguments: [
      (1, 0.5, 100), (2, 0.5, 200), (3, 0.5, 400), (4, 0.5, 500), (100, 0.5, 500), (1, 0, 80), (1, 1, 120), (4, 1, 600),
      (0, 0.5, 100), (-5, 0.5, 100), (.max, 0.5, 500),
    ] as [(Int, Double, Int64)])
  func backoff(n: Int, random: Double, milliseconds: Int64) {
    let backoff = Backoff(initial: 100_000_000, multiplier: 2, limit: 500_000_000)
    #expect(backoff.delay(before: n, random: random) == milliseconds * 1_000_000)
  }

  @Test("figures that make no sense make no trap")
  func nonsense() {
    for value in [Double.nan, .infinity, -.infinity, -1, 0, .greatestFiniteMagnitude] {
      for nanoseconds in [Int64.min, -1, 0, 1, .max] {
        let backoff = Backoff(initial: nanoseconds, multiplier: value, limit: nanoseconds, jitter: value)
        for n in [1, 2, 50] { #expect(backoff.delay(before: n, random: value) >= 0) }
      }
    }
    #expect(Backoff.connection.delay(before: 50, random: 0.5) == 120_000_000_000)
  }
}
