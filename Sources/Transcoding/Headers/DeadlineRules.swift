// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import JSON

/// How much time a request's call has. Times are nanoseconds.
public struct DeadlineRules: Sendable {
  /// The time of a request that names none; nil for no end.
  public var standard: Int64?
  /// The most time that any request has; nil for no bound.
  public var maximum: Int64?

  /// Rules.
  public init(standard: Int64? = nil, maximum: Int64? = nil) {
    self.standard = standard
    self.maximum = maximum
  }

  /// The time of a request with these headers, each nil where it is missing: `Grpc-Timeout`, as gRPC writes it, and
  /// `X-Server-Timeout`, in seconds with or without a fraction. Of both the shorter one counts.
  ///
  /// Throws where one of them is malformed.
  public func timeout(grpcTimeout: String?, serverTimeout: String?) throws(TranscodingError) -> Int64? {
    var asked: Int64?
    if let grpcTimeout {
      guard let time = Timeout.decode(grpcTimeout) else { throw Self.malformed("Grpc-Timeout", grpcTimeout) }
      asked = time
    }
    if let serverTimeout {
      guard let seconds = JSONNumber(Array(serverTimeout.asciiTrimmed.utf8)[...])?.double, seconds >= 0 else {
        throw Self.malformed("X-Server-Timeout", serverTimeout)
      }
      let time = seconds < 9e9 ? Int64(seconds * 1e9) : .max
      asked = min(asked ?? .max, time)
    }
    guard let time = asked ?? standard else { return maximum }
    return min(time, maximum ?? .max)
  }

  private static func malformed(_ name: String, _ value: String) -> TranscodingError {
    TranscodingError(.header, "the header \(name) is no time: \(value.shortened(toUTF8Count: 40).quoted)")
  }
}
