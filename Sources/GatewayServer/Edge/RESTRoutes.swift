// SPDX-License-Identifier: Apache-2.0

internal import Protobuf
internal import Reflection
internal import Schemas
internal import Transcoding

/// The routes of all backends: a table for each schema, for the types of two may have the same names.
///
/// Where tables of two backends have a route for a request, the one of the backend that is named first is taken.
struct RESTRoutes: Sendable {
  /// What is not served, and why.
  private(set) var problems: [RouteProblem] = []

  private let tables: [RouteTable]

  /// The routes of schemas, each with the names of those of its services that are served by it, and of the methods that
  /// the patterns open.
  init(_ schemas: [(pool: DescriptorPool, services: [String])], exposed: [String] = []) {
    var tables: [RouteTable] = []
    for (pool, services) in schemas {
      var options = RouteOptions()
      // A backend may list a service whose file it does not have.
      options.services = services.filter { pool.service(named: $0) != nil }
      options.exposed = exposed
      tables.append(RouteTable(pool, options: options))
    }
    self.tables = tables
    // A pattern that fits one schema alone is right; what fits none is told once.
    let patterns = exposed.filter { pattern in
      tables.contains { !$0.problems.contains { $0.subject == pattern && $0.rule.isEmpty } }
    }
    for problem in tables.flatMap(\.problems)
    where !(problem.rule.isEmpty && patterns.contains(problem.subject)) && !problems.contains(problem) {
      problems.append(problem)
    }
  }

  /// Finds the route of a request by its method and its path, without the query.
  func match(_ method: String, _ path: ArraySlice<UInt8>) -> RouteResult {
    var allowed: Set<String> = []
    for table in tables {
      switch table.match(method, path) {
      case .found(let match): return .found(match)
      case .malformed: return .malformed
      case .methodNotAllowed(let methods), .options(let methods): allowed.formUnion(methods)
      case .notFound: break
      }
    }
    guard !allowed.isEmpty else { return .notFound }
    return method == "OPTIONS" ? .options(allowed.sorted()) : .methodNotAllowed(allowed.sorted())
  }

  /// The standard details of errors, which backends give without having them in their schemas.
  static let errorDetails: DescriptorPool? = {
    guard let index = try? DescriptorIndex(set: DescriptorSet.bytes),
      let files = index.files(named: "google/rpc/error_details.proto")
    else { return nil }
    return try? DescriptorPool(files: files)
  }()
}
