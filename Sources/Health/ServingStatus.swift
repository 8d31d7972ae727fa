// SPDX-License-Identifier: Apache-2.0

// Health: the messages of grpc.health.v1 and what they mean.

/// `grpc.health.v1.HealthCheckResponse.ServingStatus`: an open enum, as proto3 has it.
public struct ServingStatus: RawRepresentable, Equatable, Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: Int32

  /// A status of any number, known or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The default value; also what an empty response says.
  public static let unknown = ServingStatus(rawValue: 0)
  /// The service takes calls.
  public static let serving = ServingStatus(rawValue: 1)
  /// The service takes no calls at present.
  public static let notServing = ServingStatus(rawValue: 2)
  /// Watch's word for a service that the server does not know (yet). Check answers NOT_FOUND instead.
  public static let serviceUnknown = ServingStatus(rawValue: 3)

  /// The name in the .proto file, or the number where there is none.
  public var name: String {
    switch self {
    case .unknown: "UNKNOWN"
    case .serving: "SERVING"
    case .notServing: "NOT_SERVING"
    case .serviceUnknown: "SERVICE_UNKNOWN"
    default: String(rawValue)
    }
  }
}
