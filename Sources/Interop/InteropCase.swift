// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCClient
internal import GRPCMethods

/// One of the public interoperability test cases, as a client runs it.
public struct InteropCase: Sendable {
  /// Its name, as the public programs know it.
  public let name: String
  private let body: @Sendable (GRPCClient) async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (GRPCClient) async throws -> Void) {
    self.name = name
    self.body = body
  }

  /// Runs the case. Throws ``InteropFailure`` where the server does something else than it should, and `RPCError` where
  /// a call fails that should not.
  public func run(_ client: GRPCClient) async throws { try await body(client) }

  /// The case of a name; nil for an unknown one.
  public static func named(_ name: String) -> InteropCase? { all.first { $0.name == name } }

  /// Every case.
  public static let all = unaryCases + streamingCases + endingCases
}

/// What a server did otherwise than it should.
public struct InteropFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was expected, and what came.
  public let description: String
}

/// What only a call's context knows: who answered, and whether the response came compressed.
public struct CallProbe: ClientInterceptor {
  @TaskLocal static var latest: Latest?

  final class Latest: @unchecked Sendable {
    // Written by the call's own task before the call returns, and read by it afterwards.
    var wasCompressed = false
    var peer = "nobody"
  }

  /// A probe; the cases about compression and the soak need their client to have one.
  public init() {}

  /// Takes note once the call is over.
  public func intercept(_ context: ClientContext, next: ClientNext) async throws {
    try await next()
    Self.latest?.wasCompressed = context.responseWasCompressed
    if let peer = context.peer { Self.latest?.peer = peer }
  }
}

// MARK: - Expectations

func expect<Value: Equatable>(_ value: Value, _ wanted: Value, _ what: String) throws {
  guard value == wanted else { throw InteropFailure(description: "\(what): \(value) and not \(wanted)") }
}

/// Makes a call that must fail with a status.
func expect(
  _ code: StatusCode, _ message: String? = nil, _ call: () async throws -> Void
) async throws {
  do {
    try await call()
  } catch let error as RPCError {
    try expect(error.status.code.constantName, code.constantName, "status")
    if let message { try expect(error.status.message, message, "message") }
    return
  }
  throw InteropFailure(description: "the call went well and should have failed with \(code.constantName)")
}
