// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// What a load is made of.
struct BenchPlan {
  /// When no more calls are begun.
  enum End {
    /// After so many calls.
    case calls(Int)
    /// After so many nanoseconds.
    case time(Int64)
  }

  /// The method, as `/package.Service/Method`.
  let path: String
  let kind: CallKind
  /// The frames of one call's messages, one behind the other.
  let frames: [UInt8]
  /// How many connections.
  let connections: Int
  /// How many calls run at once on each.
  let streams: Int
  let end: End
  /// Calls that are begun a second, whatever becomes of those before them; nil for as many as are answered.
  let rate: Int?
  /// How long a call may take, in nanoseconds.
  let callTime: Int64
}

/// What came of a load.
struct BenchFindings {
  /// Calls by the code of their status.
  private(set) var statuses: [(code: StatusCode, count: Int)] = []
  /// The message of the first call of each code but OK.
  private(set) var messages: [(code: StatusCode, message: String)] = []
  /// How long calls took: where there is a rate, from the instant at which each was due.
  private(set) var latencies = LatencyHistogram()
  /// Messages that were received.
  private(set) var responses = 0
  /// From the first call to the end of the last one, in nanoseconds.
  var time: Int64 = 0
  /// How many connections were made anew because a server had ended them.
  var reconnections = 0
  /// How many calls were due and never begun, as there was no room for them.
  var notBegun = 0
  /// How many calls at once a server permits on a connection, where that is fewer than were asked for.
  var permittedStreams: Int?
  /// Why the load ended before its time; nil where it did not.
  var problem: Problem?

  /// How many calls have ended.
  var calls: Int { Int(latencies.count) }
  /// How many ended with another status than OK.
  var failures: Int { statuses.reduce(0) { $1.code == .ok ? $0 : $0 + $1.count } }

  mutating func record(_ status: Status, time: Int64) {
    latencies.record(time)
    if let index = statuses.firstIndex(where: { $0.code == status.code }) {
      statuses[index].count += 1
    } else {
      statuses.append((status.code, 1))
      if status.code != .ok { messages.append((status.code, status.message)) }
    }
  }

  mutating func recordResponse() { responses += 1 }
}
