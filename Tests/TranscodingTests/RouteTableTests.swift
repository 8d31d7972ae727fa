// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Schemas
import TestSupport
import Testing
import Transcoding

@Suite struct RouteTableTests {
  /// The template that a request leads to, or what else came of it.
  private func outcome(_ table: RouteTable, _ method: String, _ path: String) -> String {
    switch table.match(method, bytes(path)) {
    case .found(let match): match.route.httpMethod + " " + match.route.template.text
    case .notFound: "not found"
    case .methodNotAllowed(let methods): "allowed: " + methods.joined(separator: " ")
    case .options(let methods): "options: " + methods.joined(separator: " ")
    case .malformed: "malformed"
    }
  }

  private static let table = Shop.table(
    HTTPRule("GET", "/v1/users"), HTTPRule("POST", "/v1/users", body: "*"), HTTPRule("GET", "/v1/users:watch"),
    HTTPRule("GET", "/v1/users/{name}"), HTTPRule("DELETE", "/v1/users/{name}"), HTTPRule("GET", "/v1/users/me"),
    HTTPRule("POST", "/v1/users/{name}:stop"), HTTPRule("GET", "/v1/{name=files/**}"),
    HTTPRule("POST", "/v1/{name=**}:cancel"), HTTPRule("GET", "/v1/{name}/parts/{page_token}"),
    HTTPRule("LINK", "/v1/links"), HTTPRule("*", "/v1/any"), HTTPRule("GET", "/v1/any/x"), HTTPRule("GET", "/"),
    HTTPRule("GET", "/v1/a%20b"), HTTPRule("POST", "/v1/users/{name}:stop:now"))

  @Test(
    "a path leads to the most specific route",
    arguments: [
      ("GET", "/v1/users", "GET /v1/users"),
      ("POST", "/v1/users", "POST /v1/users"),
      ("GET", "/v1/users/me", "GET /v1/users/me"),
      ("GET", "/v1/users/you", "GET /v1/users/{name}"),
      // A literal without the method does not stand in the way.
      ("DELETE", "/v1/users/me", "DELETE /v1/users/{name}"),
      ("GET", "/v1/users:watch", "GET /v1/users:watch"),
      ("GET", "/v1/users%3Awatch", "not found"),
      ("POST", "/v1/users/5:stop", "POST /v1/users/{name}:stop"),
      ("POST", "/v1/users/5:stop:now", "POST /v1/users/{name}:stop:now"),
      ("POST", "/v1/users/5:go:stop", "POST /v1/users/{name}:stop"),
      // Without a route for it, a verb is a part of the value.
      ("GET", "/v1/users/5:stop", "GET /v1/users/{name}"),
      ("GET", "/v1/users/a:b", "GET /v1/users/{name}"),
      ("POST", "/v1/users/5%3Astop", "allowed: DELETE GET HEAD OPTIONS"),
      ("GET", "/v1/files/a/b/c", "GET /v1/{name=files/**}"),
      ("GET", "/v1/files", "GET /v1/{name=files/**}"),
      ("GET", "/v1/files/", "GET /v1/{name=files/**}"),
      ("POST", "/v1/x/y/z:cancel", "POST /v1/{name=**}:cancel"),
      ("POST", "/v1:cancel", "POST /v1/{name=**}:cancel"),
      ("GET", "/v1/users/parts/3", "GET /v1/{name}/parts/{page_token}"),
      ("LINK", "/v1/links", "LINK /v1/links"),
      ("link", "/v1/links", "allowed: LINK OPTIONS"),
      ("ANYTHING", "/v1/any", "* /v1/any"),
      ("OPTIONS", "/v1/any", "* /v1/any"),
      ("GET", "/", "GET /"),
      ("GET", "/v1/a%20b", "GET /v1/a%20b"),
      ("GET", "/v1/%75sers", "GET /v1/users"),
      // A slash more or less is another path, and no variable is empty.
      ("GET", "/v1/users/", "not found"),
      ("GET", "/v1/users/5/", "not found"),
      ("GET", "/v1//users", "not found"),
      ("GET", "/v1//parts/3", "not found"),
      ("GET", "//", "not found"),
      ("GET", "/v1", "not found"),
      ("GET", "/V1/users", "not found"),
      // HEAD is GET without the body; OPTIONS is everywhere.
      ("HEAD", "/v1/users", "GET /v1/users"),
      ("PUT", "/v1/users", "allowed: GET HEAD OPTIONS POST"),
      ("PUT", "/v1/users/me", "allowed: DELETE GET HEAD OPTIONS"),
      ("OPTIONS", "/v1/users", "options: GET HEAD OPTIONS POST"),
      ("OPTIONS", "/nowhere", "not found"),
      ("GET", "v1/users", "malformed"),
      ("GET", "", "malformed"),
      ("OPTIONS", "*", "malformed"),
      ("GET", "/v1/users/%", "malformed"),
      ("GET", "/v1/users/%4", "malformed"),
      ("GET", "/v1/users/%zz", "malformed"),
    ])
  func matches(method: String, path: String, expected: String) {
    #expect(Self.table.problems == [])
    #expect(outcome(Self.table, method, path) == expected)
  }

  @Test("what a rule gets wrong is told on one line, and the rest is served")
  func problems() {
    var nested = HTTPRule("GET", "/ok/4")
    nested.additionalBindings = [HTTPRule("GET", "/ok/5")]
    var first = HTTPRule("GET", "/v1/{name}")
    first.additionalBindings = [
      HTTPRule("GET", "/v1/{page_token}"), HTTPRule("GET", "/a/{nope}"), HTTPRule("GET", "/a/{items}"),
      HTTPRule("GET", "/a/{item}"), HTTPRule("GET", "/a/{items.name}"), HTTPRule("GET", "/a/{item.labels}"),
      HTTPRule("GET", "/a/{update_mask.paths}"), HTTPRule("GET", "/a/{item.name}/{item.name}"),
      HTTPRule("GET", "/a/{page_token}/{pageToken}"), HTTPRule("POST", "/a", body: "nope"),
      HTTPRule("POST", "/a", body: "item.part"), HTTPRule("POST", "/a/{name}", body: "name"),
      HTTPRule("GET", "/a", responseBody: "nope"), HTTPRule("", "/a"), HTTPRule("A B", "/a"), HTTPRule("GET", "a"),
      HTTPRule("GET", "/ok/1"), HTTPRule("GET", "/ok/{update_mask}/2"), HTTPRule("GET", "/ok/{item.made_at}/3"), nested,
    ]
    first.selector = "shop.v1.Shop.Get"
    var lost = HTTPRule("GET", "/lost")
    lost.selector = "shop.v1.Shop.Nope"
    var options = RouteOptions()
    options.rules = [first, lost]
    options.services = ["shop.v1.Shop", "shop.v1.Nope"]
    options.exposed = ["shop.v1.Shop/Get", "nope.*", "a*b", "/shop.v1.Shop/Get"]
    let table = RouteTable(Shop.pool, options: options)
    let request = "shop.v1.Request"
    let get = "shop.v1.Shop.Get: "
    #expect(
      table.problems.map(\.message) == [
        "shop.v1.Shop.Nope: the schema has no such method, so that its rule is left out",
        "shop.v1.Nope: the schema has no such service",
        get + "GET /v1/{page_token}: shop.v1.Shop.Get has the same paths with \"/v1/{name}\", and keeps them",
        get + "GET /a/{nope}: column 5: \(request) has no field \"nope\" that a path can lead to",
        get + "GET /a/{items}: column 5: the field \"items\" is repeated, and a path has one value of it",
        get + "GET /a/{item}: column 5: the field \"item\" is a message, and a path has values alone",
        get + "GET /a/{items.name}: column 5: \(request) has no field \"items.name\" that a path can lead to",
        get + "GET /a/{item.labels}: column 5: the field \"item.labels\" is repeated, and a path has one value of it",
        get + "GET /a/{update_mask.paths}: column 5: "
          + "\(request) has no field \"update_mask.paths\" that a path can lead to",
        get + "GET /a/{item.name}/{item.name}: "
          + "\"/a/{item.name}/{item.name}\": column 17: the field has a variable already",
        get + "GET /a/{page_token}/{pageToken}: two variables of the template are the field \"page_token\"",
        get + "POST /a: body: \(request) has no field \"nope\"",
        get + "POST /a: body: \(request) has no field \"item.part\"",
        get + "POST /a/{name}: the body is the field \"name\", which is a variable of the path",
        get + "GET /a: response_body: shop.v1.Reply has no field \"nope\"",
        get + " /a: the rule has no HTTP method",
        get + "A B /a: \"A B\" is no HTTP method",
        get + "GET a: \"a\": column 1: a template begins with \"/\"",
        get + "GET /ok/4: additional bindings within an additional binding are left out",
        "nope.*: the pattern names no method of the schema",
        "a*b: a pattern is a method, a service, or ends with its only \"*\"",
      ])
    #expect(
      table.routes.map(\.template.text) == [
        "/v1/{name}", "/ok/1", "/ok/{update_mask}/2", "/ok/{item.made_at}/3", "/ok/4", "/shop.v1.Shop/Get",
      ])
  }

  @Test("patterns open methods, services and packages, and nothing is open without one")
  func patterns() {
    func open(_ patterns: String...) -> [String] {
      let table = Shop.table([("Get", HTTPRule("GET", "/get"))], exposed: patterns)
      #expect(table.problems == [])
      return table.routes.filter(\.isExposed).map { String($0.template.text.dropFirst("/shop.v1.".count)) }
    }
    #expect(open() == [])
    #expect(open("shop.v1.Internal") == ["Internal/Get"])
    #expect(open("shop.v1.Shop/Watch", "shop.v1.Shop/Get") == ["Shop/Watch", "Shop/Get"])
    #expect(open("shop.v1.Shop/W*") == ["Shop/Watch"])
    #expect(open("shop.v1.Shop/*").count == 8)
    #expect(open("*").count == 9)
    #expect(open("shop.*", "*").count == 9)
    let table = Shop.table([("Get", HTTPRule("GET", "/get"))], exposed: ["shop.v1.Internal"])
    #expect(outcome(table, "POST", "/shop.v1.Internal/Get") == "POST /shop.v1.Internal/Get")
    #expect(outcome(table, "GET", "/shop.v1.Internal/Get") == "allowed: OPTIONS POST")
    #expect(table.method(callPath: "/shop.v1.Shop/Get")?.name == "Get")
    #expect(table.method(callPath: "/shop.v1.Internal/Get")?.name == "Get")
    #expect(table.method(callPath: "/shop.v1.Shop/Watch") == nil)
  }

  @Test("the annotations of compiled schemas are found, with the schema of annotations or without")
  func annotations() throws {
    let pool = try DescriptorPool(set: DescriptorSet.bytes)
    let table = RouteTable(pool)
    #expect(table.problems == [])
    #expect(
      table.routes.map { "\($0.method.name) \($0.httpMethod) \($0.template.text) \($0.kind)" } == [
        "GetUser GET /v1/users/{user_id} unary", "ListUsers GET /v1/users unary", "CreateUser POST /v1/users unary",
        "UpdateUser PATCH /v1/users/{user.id} unary", "DeleteUser DELETE /v1/users/{user_id} unary",
        "StreamUsers GET /v1/users:stream serverStreaming", "WatchUsers GET /v1/users:watch serverStreaming",
        "CreateUsers POST /v1/users:batchCreate clientStreaming", "Chat GET /v1/chat bidirectional",
      ])
    // Rules take the place of annotations.
    var options = RouteOptions()
    options.rules = [HTTPRule("GET", "/u/{user_id}")]
    options.rules[0].selector = "user.v1.UserService.GetUser"
    let other = RouteTable(pool, options: options)
    #expect(other.routes.first?.template.text == "/u/{user_id}")
    #expect(other.routes.count == table.routes.count)
  }

  @Test("a rule is read from its bytes, with each kind of method, and what is malformed is refused")
  func rules() throws {
    func rule(_ parts: [(Int, String)], nested: [UInt8] = []) throws -> HTTPRule {
      var writer = WireWriter()
      for (number, text) in parts { writer.string(text, field: number) }
      if !nested.isEmpty { writer.bytes(nested, field: 11) }
      return try HTTPRule(decoding: writer.bytes[...])
    }
    for (number, method) in [(2, "GET"), (3, "PUT"), (4, "POST"), (5, "DELETE"), (6, "PATCH")] {
      #expect(try rule([(number, "/a"), (7, "*")]) == HTTPRule(method, "/a", body: "*"))
    }
    #expect(try rule([(2, "/a"), (4, "/b"), (12, "r")]) == HTTPRule("POST", "/b", responseBody: "r"))
    var custom = WireWriter()
    custom.string("LINK", field: 1)
    custom.string("/l", field: 2)
    var writer = WireWriter()
    writer.string("a.S.M", field: 1)
    writer.string("/lost", field: 2)
    writer.bytes(custom.bytes, field: 8)
    writer.varint(1, field: 99)
    var expected = HTTPRule("LINK", "/l")
    expected.selector = "a.S.M"
    #expect(try HTTPRule(decoding: writer.bytes[...]) == expected)
    let deep = try rule([(2, "/1")], nested: [0x12, 2, 0x2F, 0x32, 0x5A, 8, 0x12, 2, 0x2F, 0x33, 0x5A, 2, 0x12, 0])
    #expect(deep.additionalBindings.first?.additionalBindings == [HTTPRule("GET", "/3")])
    #expect(throws: WireError.self) { try HTTPRule(decoding: [0x12, 9]) }
    #expect(throws: WireError.self) { try HTTPRule(decoding: [0x12, 1, 0xFF]) }
  }

  // MARK: - The trie and a matcher that tries one route after another

  private struct Rule {
    /// Literals, `*` and, at the end, `**`.
    var segments: [String]
    var verb: String
    var method: String

    var template: String { "/" + segments.joined(separator: "/") + (verb.isEmpty ? "" : ":" + verb) }

    /// How a path matches: the verb's length, then a digit a segment, the least one the best; nil where it does not.
    func rank(_ method: String, _ path: String) -> String? {
      let fit = self.method == method ? 0 : method == "HEAD" && self.method == "GET" ? 1 : self.method == "*" ? 2 : nil
      guard let fit else { return nil }
      var path = path
      if !verb.isEmpty {
        guard path.hasSuffix(":" + verb) else { return nil }
        path.removeLast(verb.utf8.count + 1)
      }
      let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      // A verb cut off the root leaves no segment at all.
      let segmentsOfPath = path.isEmpty ? [] : parts
      var rank = String(9 - verb.utf8.count) + " "
      for (place, segment) in segments.enumerated() {
        if segment == "**" { return rank + "3 \(fit)" }
        guard place < segmentsOfPath.count else { return nil }
        if segment == "*" {
          guard !segmentsOfPath[place].isEmpty else { return nil }
          rank += "2"
        } else {
          guard segmentsOfPath[place] == segment else { return nil }
          rank += "1"
        }
      }
      return segments.count == segmentsOfPath.count ? rank + "0 \(fit)" : nil
    }
  }

  @Test("random routes are matched as by a matcher that tries them all", arguments: 1...40)
  func agreesWithReference(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    var rules: [Rule] = []
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      var segments = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        ["a", "b", "c", "*", "*"].randomElement(using: &random) ?? "a"
      }
      if Int.random(in: 0..<4, using: &random) == 0 { segments[segments.count - 1] = "**" }
      // Behind a literal the last colon is the verb's.
      let isWild = segments.last?.hasPrefix("*") ?? false
      let verb = (isWild ? ["", "", "x", "y", "x:y"] : ["", "", "x", "y"]).randomElement(using: &random) ?? ""
      let method = ["GET", "POST", "HEAD", "*"].randomElement(using: &random) ?? "GET"
      let rule = Rule(segments: segments, verb: verb, method: method)
      if !rules.contains(where: { $0.template == rule.template && $0.method == method }) { rules.append(rule) }
    }
    let table = Shop.table(rules.map { ("Get", HTTPRule($0.method, $0.template)) })
    #expect(table.problems == [])
    for _ in 0..<400 {
      var path = ""
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        path += "/" + (["a", "b", "c", "d", "a", "b", ""].randomElement(using: &random) ?? "")
      }
      path += ["", "", ":x", ":y", ":x:y", ":z", ":z:x", ":"].randomElement(using: &random) ?? ""
      let method = ["GET", "POST", "HEAD", "PUT"].randomElement(using: &random) ?? "GET"
      let ranked = rules.compactMap { rule in rule.rank(method, path).map { ($0, rule) } }
      let best = ranked.min { $0.0 < $1.0 }?.1
      let found = outcome(table, method, path)
      if let best {
        #expect(found == "\(best.method) \(best.template)", "\(method) \(path)")
      } else {
        #expect(found == "not found" || found.hasPrefix("allowed"), "\(method) \(path)")
      }
    }
  }

  @Test("ten thousand routes are told apart")
  func manyRoutes() {
    let table = Shop.table((0..<10_000).map { ("Get", HTTPRule("GET", "/v\($0 % 10)/things\($0)/{name}")) })
    #expect(table.problems == [])
    #expect(table.routes.count == 10_000)
    for place in stride(from: 0, to: 10_000, by: 37) {
      let path = "/v\(place % 10)/things\(place)"
      #expect(outcome(table, "GET", path + "/x") == "GET \(path)/{name}")
      #expect(outcome(table, "GET", "/v\((place + 1) % 10)/things\(place)/x") == "not found")
    }
  }
}
