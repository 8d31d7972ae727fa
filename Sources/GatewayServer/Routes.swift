// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import GRPCMethods
internal import GRPCServer
internal import Protobuf
internal import Reflection

/// Who answers which call, as far as the backends have told. A value that is replaced as a whole when one of them tells
/// something else.
struct Routes: Sendable {
  /// Answers questions of reflection.
  let reflection: ReflectionResponder
  /// Where requests of REST lead.
  let rest: RESTRoutes

  private let backends: [Backend]
  private var services: [String: Backend] = [:]
  private var handlers: [String: MethodHandler] = [:]

  /// The routes to some backends. Where two serve the same service, the first one has it; where two have different
  /// files of one name, the first one's counts. What `exposed` are is said by ``Gateway/Configuration/exposed``.
  init(_ backends: [Backend], exposed: [String] = []) {
    self.backends = backends
    var files: [String: [UInt8]] = [:]
    var index: DescriptorIndex?
    var schemas: [(pool: DescriptorPool, services: [String])] = []
    for backend in backends {
      guard let schema = backend.schema else { continue }
      let together = files.merging(schema.files) { first, _ in first }
      // One that contradicts those before it is left out of what clients are told.
      if let both = try? DescriptorIndex(together.keys.sorted().compactMap { together[$0] }) {
        (files, index) = (together, both)
      }
      for service in schema.services where services[service] == nil { services[service] = backend }
      // A schema that does not fit together serves without it: kinds are then taken to be anything.
      guard let pool = try? DescriptorPool(files: schema.files.keys.sorted().compactMap { schema.files[$0] }) else {
        continue
      }
      let owned = services
      schemas.append((pool, schema.services.filter { owned[$0] === backend }))
      for method in pool.services.flatMap(\.methods) where services[method.service.fullName] === backend {
        let forwarding = Forwarding(backend: backend, service: method.service.fullName, method: method.name)
        handlers[method.callPath] = forwarding.handler(
          CallKind(isClientStreaming: method.isClientStreaming, isServerStreaming: method.isServerStreaming))
      }
    }
    rest = RESTRoutes(schemas, exposed: schemas.isEmpty ? [] : exposed)
    let names = services.keys.sorted() + Gateway.ownServices.sorted()
    reflection = ReflectionResponder(index ?? DescriptorIndex(), services: names)
  }

  /// What answers the calls of a path. A service that no backend has told of goes to the one backend that there is, for
  /// it may serve more than it tells; where there are several, nobody has it.
  func handler(for path: String) -> MethodHandler? {
    if let known = handlers[path] { return known }
    let parts = path.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
    guard path.utf8.first == 0x2F, parts.count == 2, let service = String(parts[0]), let method = String(parts[1]),
      !service.isEmpty, !method.isEmpty, !Gateway.ownServices.contains(service)
    else { return nil }
    guard let backend = services[service] ?? (backends.count == 1 ? backends.first : nil) else { return nil }
    return Forwarding(backend: backend, service: service, method: method).handler(nil)
  }
}
