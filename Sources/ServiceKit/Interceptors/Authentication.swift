// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Crypto
internal import GRPC
internal import GRPCMethods
public import GRPCServer
internal import Synchronization
internal import Sys

/// Demands a bearer token of every call but those of exempt services.
public struct AuthenticationInterceptor: ServerInterceptor {
  private let tokens: TokenFile
  private let exempt: Set<String>
  private let domain: String

  /// Demands a token of the file's. `exempt` are full names of services: health has to be, since a probe has no token.
  /// The `domain` stands in the error's `google.rpc.ErrorInfo`.
  public init(_ tokens: TokenFile, exempt: Set<String>, domain: String) {
    self.tokens = tokens
    self.exempt = exempt
    self.domain = domain
  }

  /// Lets the call through, or refuses it with UNAUTHENTICATED.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws {
    guard !exempt.contains(context.method.service) else { return try await next() }
    guard let credentials = context.metadata.first("authorization") else {
      throw RPCError(.unauthenticated, "the call carries no authorization", reason: "MISSING_TOKEN", domain: domain)
    }
    let parts = credentials.utf8.split(separator: 0x20, maxSplits: 1)
    guard parts.count == 2, let scheme = String(parts[0]), scheme.equalsIgnoringASCIICase("bearer"),
      tokens.holds(Array(parts[1]))
    else {
      throw RPCError(
        .unauthenticated, "the call's authorization is not valid", reason: "INVALID_TOKEN", domain: domain)
    }
    try await next()
  }
}

/// The tokens of a file, one a line; empty lines and those that begin with `#` count for nothing.
public final class TokenFile: Sendable {
  /// Tokens in a file at most.
  static let maxTokens = 1_000

  let path: String
  private let digests = Mutex<[[UInt8]]>([])

  /// The tokens that the file holds now.
  public init(_ path: String) throws(ConfigurationError) {
    self.path = path
    try reload()
  }

  /// Reads the file again; where that fails, the tokens stay what they were.
  func reload() throws(ConfigurationError) {
    let bytes: [UInt8]
    do { bytes = try Files.read(path) } catch {
      throw ConfigurationError("\(path) cannot be read: \(error.text)")
    }
    let tokens = String(decoding: bytes, as: UTF8.self).split(onASCII: 0x0A).map(\.asciiTrimmed)
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard !tokens.isEmpty else { throw ConfigurationError("\(path) holds no token; write one a line") }
    guard tokens.count <= Self.maxTokens else {
      throw ConfigurationError("\(path) holds more than \(Self.maxTokens) tokens")
    }
    do {
      let fresh = try tokens.map { try SHA256.digest(of: Array($0.utf8).span) }
      digests.withLock { $0 = fresh }
    } catch { throw ConfigurationError("\(path): digests cannot be made") }
  }

  /// Whether the file holds the token. Digests are compared, all of them and each in constant time, so that the time
  /// tells neither the length of a token nor how much of it was right.
  func holds(_ token: [UInt8]) -> Bool {
    guard let digest = try? SHA256.digest(of: token.span) else { return false }
    var found = false
    for known in digests.withLock({ $0 }) where constantTimeEquals(known.span, digest.span) { found = true }
    return found
  }
}
