// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import SwiftProtobuf

/// Tells the time, in microseconds since 1970 began. Tests give one of their own.
public typealias Clock = @Sendable () -> Int64

/// The machine's clock.
public enum WallClock {
  /// Now, in microseconds since 1970 began.
  public static let now: Clock = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1_000
  }
}

extension Google_Protobuf_Timestamp {
  /// The time so many microseconds after 1970 began.
  init(microseconds: Int64) {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    self.init(seconds: rest < 0 ? seconds - 1 : seconds, nanos: Int32((rest < 0 ? rest + 1_000_000 : rest) * 1_000))
  }
}
