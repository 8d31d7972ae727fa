// SPDX-License-Identifier: Apache-2.0

public import Protobuf

/// The paths of the service's methods.
public enum HealthMethod {
  /// Asks for one service's status, once.
  public static let check = "/grpc.health.v1.Health/Check"
  /// Streams one service's status, at once and at each change.
  public static let watch = "/grpc.health.v1.Health/Watch"
  /// Asks for the status of every service that the server knows. Servers older than 2025 have no such method.
  public static let list = "/grpc.health.v1.Health/List"
}

/// `HealthCheckRequest`, which Check and Watch take.
public struct HealthCheckRequest: Equatable, Sendable {
  /// The service asked for; empty means the server as a whole.
  public var service: String

  /// A request for a service.
  public init(service: String) { self.service = service }

  /// Decodes a message; the last of repeated fields wins, unknown ones are passed over.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    service = ""
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let text = try field.value.string() { service = text }
    }
  }

  /// The message on the wire; empty for the server as a whole.
  public var encoded: [UInt8] {
    var writer = WireWriter()
    if !service.isEmpty { writer.string(service, field: 1) }
    return writer.bytes
  }
}

/// `HealthCheckResponse`, which Check answers and Watch streams.
public struct HealthCheckResponse: Equatable, Sendable {
  /// The service's status.
  public var status: ServingStatus

  /// A response with a status.
  public init(status: ServingStatus) { self.status = status }

  /// Decodes a message; the last of repeated fields wins, unknown ones are passed over.
  public init(decoding bytes: [UInt8]) throws(WireError) { try self.init(decoding: bytes[...]) }

  init(decoding bytes: ArraySlice<UInt8>) throws(WireError) {
    status = .unknown
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let number = field.value.int32 { status = ServingStatus(rawValue: number) }
    }
  }

  /// The message on the wire.
  public var encoded: [UInt8] {
    var writer = WireWriter()
    if status != .unknown { writer.int32(status.rawValue, field: 1) }
    return writer.bytes
  }
}

/// `HealthListResponse`: every service with its status.
public struct HealthListResponse: Equatable, Sendable {
  /// The status of each service by name; the empty name is the server as a whole.
  public var statuses: [String: ServingStatus]

  /// A response with statuses.
  public init(statuses: [String: ServingStatus]) { self.statuses = statuses }

  /// Decodes a message. A map is repeated entries of key (1) and value (2); the last entry of a key wins, and a missing
  /// key or value is the empty one.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    statuses = [:]
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      guard field.number == 1, case .bytes(let entry) = field.value else { continue }
      var name = ""
      var status = ServingStatus.unknown
      var entryReader = WireReader(entry)
      while let part = try entryReader.next() {
        if part.number == 1, let text = try part.value.string() { name = text }
        if part.number == 2, case .bytes(let response) = part.value {
          status = try HealthCheckResponse(decoding: response).status
        }
      }
      statuses[name] = status
    }
  }

  /// The message on the wire, entries sorted by name.
  public var encoded: [UInt8] {
    var writer = WireWriter()
    for (name, status) in statuses.sorted(by: { $0.key < $1.key }) {
      var entry = WireWriter()
      entry.string(name, field: 1)
      entry.bytes(HealthCheckResponse(status: status).encoded, field: 2)
      writer.bytes(entry.bytes, field: 1)
    }
    return writer.bytes
  }
}
