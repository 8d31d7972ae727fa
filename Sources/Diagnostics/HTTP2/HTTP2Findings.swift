// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Fault
internal import HTTP2
internal import TLS

/// What a server of HTTP/2 showed of itself.
struct HTTP2Findings {
  /// A GOAWAY of the server's.
  struct GoAway: Equatable {
    let code: HTTP2ErrorCode
    /// The last stream that the server looks at.
    let lastStreamID: StreamID
    /// What the server says of the reason, as it came: not safe to print.
    let debugText: String
  }

  /// How the server ended a connection that it could have kept.
  enum End: Equatable {
    /// With the GOAWAY that is told beside it.
    case goAway
    /// By ending its side (FIN), without a GOAWAY.
    case closed
    /// By a reset (RST).
    case reset
  }

  /// The address that was connected to.
  let peer: String
  /// What TLS agreed on; nil in the clear.
  let security: TLSPeerFacts?
  /// How long the steps up to SETTINGS took.
  var timings: Timings
  /// What the server's SETTINGS say, the last word on each; at most ``maxSettings`` of them, in their order.
  var settings: [HTTP2Setting] = []
  /// Time from our SETTINGS to their acknowledgement, in nanoseconds; nil where it never came.
  var acknowledgement: Int64?
  /// By how many bytes the server opened the window of the connection.
  var windowIncrement = 0
  /// How long the answer to each PING took, in nanoseconds.
  var pings: [Int64] = []
  /// How many PINGs were sent: the last one may have had no answer.
  var sentPings = 0
  var goAway: GoAway?
  /// How long the connection was left idle, in nanoseconds; nil where it was not.
  var idle: Int64?
  /// How the server ended the idle connection; nil where it kept it.
  var idleEnd: End?
  /// What ended the connection before that; nil where nothing did.
  var failure: Fault?

  /// How many settings are kept: a handful are known, and a server may invent 65,536.
  static let maxSettings = 32

  mutating func note(_ settings: [HTTP2Setting]) {
    for setting in settings {
      if let index = self.settings.firstIndex(where: { $0.identifier == setting.identifier }) {
        self.settings[index] = setting
      } else if self.settings.count < Self.maxSettings {
        self.settings.append(setting)
      }
    }
  }
}

extension HTTP2Findings {
  /// Something that is wrong.
  struct Problem {
    /// What it amounts to.
    let mark: Mark
    /// The stable code.
    let code: String
    /// What it is, without a full stop, safe to print.
    let text: String

    init(_ code: String, _ text: String) { (mark, self.code, self.text) = (.failure, code, text) }

    init(_ fault: Fault) { (mark, code, text) = (fault.mark, fault.diagnosis, fault.programReason) }
  }

  /// What is wrong, the first cause first. That a server ends an idle connection is not, unless it says of what.
  var problems: [Problem] {
    if let failure { return [Problem(failure)] }
    if let goAway, goAway.code != .noError {
      return [Problem(Fault(goAway: goAway.code, Array(goAway.debugText.utf8), at: peer))]
    }
    var problems: [Problem] = []
    if acknowledgement == nil {
      problems.append(
        Problem("H2_UNANSWERED", "our SETTINGS are not acknowledged: the server hangs, or is no whole HTTP/2"))
    }
    if pings.count < sentPings {
      problems.append(
        Problem("H2_UNANSWERED", "PING is not answered: clients with keepalives take the server for dead"))
    }
    return problems
  }
}
