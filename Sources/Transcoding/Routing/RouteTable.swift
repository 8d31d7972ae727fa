// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Protobuf

/// What a table of routes is made of, beside the annotations of the schema.
public struct RouteOptions: Sendable {
  /// The full names of the services that count; nil for all.
  public var services: [String]?
  /// Rules by their selectors, in place of what is annotated there: of a selector that stands twice the last one
  /// counts.
  public var rules: [HTTPRule] = []
  /// What is open as `POST /package.Service/Method`, whose body is the whole request: a method as
  /// `package.Service/Method`, a service as `package.Service`, all that begins alike as `package.*`, everything as `*`.
  public var exposed: [String] = []

  /// All annotations, and nothing else.
  public init() {}
}

/// A rule that is not served, or a pattern that means nothing.
public struct RouteProblem: Equatable, Sendable {
  /// The full name of the method or the service, or the pattern.
  public let subject: String
  /// The HTTP method and the template; empty where it is not one rule that is at fault.
  public let rule: String
  /// What was wrong, and what becomes of it.
  public let reason: String

  /// One line in words: `a.S.Get: GET /v1/{x}: column 6: a.Request has no field "x" that a path can lead to`.
  public var message: String { subject + ": " + (rule.isEmpty ? "" : rule + ": ") + reason }
}

/// A path that leads to a route.
public struct RouteMatch: Sendable {
  /// The route.
  public let route: Route
  /// The path, as it came.
  let path: ArraySlice<UInt8>
  /// For each variable the part of the path that is its value, from the path's start.
  let captures: [Range<Int>]
}

/// Where a request leads.
public enum RouteResult: Sendable {
  /// To a route.
  case found(RouteMatch)
  /// Nowhere: no route has such a path.
  case notFound
  /// Nowhere with this method, but with these ones, sorted, for `Allow`: HEAD among them where GET is, and OPTIONS.
  case methodNotAllowed([String])
  /// To the answer to OPTIONS, as no route has that method: these are the ones that there are.
  case options([String])
  /// The path does not begin with a slash, or an escape in it is malformed.
  case malformed
}

/// All routes of a schema.
///
/// Of two routes that a path leads to, the one whose template has a literal where the other one has `*` is taken, and
/// that with `*` before that with `**`, told from the left; a template with the path's verb comes before all without.
/// A route without the request's method does not stand in the way of one that has it. HEAD leads where GET does unless
/// it has a route of its own. A `*` is never an empty segment, so that a slash more or less at the end of a path is
/// another path; `**` takes all that is left, empty segments too.
public struct RouteTable: Sendable {
  /// How many routes a table has at most.
  public static let limit = 100_000

  /// The routes, those of the schema in its order, and then those of patterns.
  public private(set) var routes: [Route] = []
  /// What is not served, and why.
  public private(set) var problems: [RouteProblem] = []

  private var trie = RouteTrie()
  private var methods: [String: MethodDescriptor] = [:]

  /// A table of the rules of a pool. It never fails: what makes no route is told by ``problems``.
  public init(_ pool: DescriptorPool, options: RouteOptions = RouteOptions()) {
    var rules: [String: HTTPRule] = [:]
    for rule in options.rules {
      if pool.method(named: rule.selector) == nil {
        problem(rule.selector, "the schema has no such method, so that its rule is left out")
      }
      rules[rule.selector] = rule
    }
    for name in options.services ?? [] where pool.service(named: name) == nil {
      problem(name, "the schema has no such service")
    }
    for service in pool.services where options.services?.contains(service.fullName) ?? true {
      for method in service.methods { add(method, rules[method.fullName]) }
    }
    for pattern in options.exposed { expose(pattern, pool, options.services) }
  }

  /// The method of a call's path, `/package.Service/Method`, where a route leads to it.
  public func method(callPath: String) -> MethodDescriptor? { methods[callPath] }

  /// Finds the route of a request by its method, in capitals, and the raw bytes of its path, without the query.
  public func match(_ method: String, _ path: ArraySlice<UInt8>) -> RouteResult {
    guard path.first == 0x2F, PercentCoding.isWellFormed(path.span) else { return .malformed }
    let outcome = trie.find(method, path.span)
    if let place = outcome.route {
      let route = routes[place]
      return .found(
        RouteMatch(route: route, path: path, captures: Self.captures(route, path.span, to: outcome.end)))
    }
    guard !outcome.methods.isEmpty else { return .notFound }
    var methods = outcome.methods
    if methods.contains("GET"), !methods.contains("HEAD") { methods.append("HEAD") }
    if !methods.contains("OPTIONS") { methods.append("OPTIONS") }
    methods.sort()
    return method == "OPTIONS" ? .options(methods) : .methodNotAllowed(methods)
  }

  /// The parts of a path that are the values of a route's variables.
  private static func captures(_ route: Route, _ path: Span<UInt8>, to end: Int) -> [Range<Int>] {
    guard !route.variables.isEmpty else { return [] }
    var captures: [Range<Int>] = []
    captures.reserveCapacity(route.variables.count)
    var position = 1
    var segment = 0
    for variable in route.variables {
      while segment < variable.segments.lowerBound { next(path, end, &position, &segment) }
      let start = min(position, end)
      if route.template.segments[variable.segments.upperBound - 1] == .rest {
        captures.append(start..<end)
        continue
      }
      while segment < variable.segments.upperBound { next(path, end, &position, &segment) }
      captures.append(start..<max(start, position - 1))
    }
    return captures
  }

  /// Goes to the start of the next segment.
  private static func next(_ path: Span<UInt8>, _ end: Int, _ position: inout Int, _ segment: inout Int) {
    while position < end, path[position] != 0x2F { position += 1 }
    position += 1
    segment += 1
  }

  // MARK: - Making

  private mutating func problem(_ subject: String, rule: String = "", _ reason: String) {
    problems.append(RouteProblem(subject: subject.safeForDisplay, rule: rule, reason: reason))
  }

  private mutating func add(_ method: MethodDescriptor, _ override: HTTPRule?) {
    var rule = override
    if rule == nil {
      do throws(WireError) { rule = try HTTPRule(of: method) } catch {
        return problem(method.fullName, "the annotation google.api.http is malformed at byte \(error.offset)")
      }
    }
    guard let rule else { return }
    add(rule, method)
    for binding in rule.additionalBindings {
      if !binding.additionalBindings.isEmpty {
        problem(
          method.fullName, rule: Self.text(binding), "additional bindings within an additional binding are left out")
      }
      add(binding, method)
    }
  }

  private mutating func add(_ rule: HTTPRule, _ method: MethodDescriptor, isExposed: Bool = false) {
    guard routes.count < Self.limit else {
      return problem(method.fullName, rule: Self.text(rule), "there are more than \(Self.limit) routes")
    }
    let route: Route
    do throws(RouteFault) { route = try Route(rule, method, isExposed: isExposed) } catch {
      return problem(method.fullName, rule: Self.text(rule), error.reason)
    }
    let (isNew, place) = trie.insert(route.template, method: route.httpMethod, route: routes.count)
    guard isNew else {
      let known = routes[place]
      // A pattern may name what is open already.
      guard !isExposed || known.method != method else { return }
      return problem(
        method.fullName, rule: Self.text(rule),
        "\(known.method.fullName) has the same paths with \"\(known.template.text)\", and keeps them")
    }
    routes.append(route)
    methods[method.callPath] = method
  }

  private mutating func expose(_ pattern: String, _ pool: DescriptorPool, _ services: [String]?) {
    let text = pattern.after("/") ?? pattern
    let prefix = text.utf8.last == 0x2A ? String(text.dropLast()) : nil
    guard !(prefix ?? text).utf8.contains(0x2A), !text.isEmpty else {
      return problem(pattern, "a pattern is a method, a service, or ends with its only \"*\"")
    }
    var hasFound = false
    for service in pool.services where services?.contains(service.fullName) ?? true {
      for method in service.methods {
        let name = String(method.callPath.dropFirst())
        let fits = prefix.map { name.utf8.starts(with: $0.utf8) } ?? (text == name || text == service.fullName)
        guard fits else { continue }
        hasFound = true
        add(HTTPRule("POST", method.callPath, body: "*"), method, isExposed: true)
      }
    }
    if !hasFound { problem(pattern, "the pattern names no method of the schema") }
  }

  private static func text(_ rule: HTTPRule) -> String {
    let text = rule.method + " " + rule.template
    return text.shortened(toUTF8Count: 200).safeForDisplay
  }
}
