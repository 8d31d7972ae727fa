// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// Fault: one table of what can fail on the way to an answer. Every tool renders the same value, so that one failure
// never has two names.

/// What failed, where, and what was seen.
public struct Fault: Error, Equatable, Sendable {
  /// What failed.
  public let code: FaultCode
  /// Where: an address, a name, a certificate's subject. Safe to print.
  public let subject: String
  /// What was seen, where the code does not say it all. Safe to print.
  public let detail: String
  /// What to do, where this case is known better than ``FaultCode/advice`` knows it.
  public let hint: String

  /// A fault. The texts may come from a peer: what is not safe to print is escaped here, and they are kept short.
  public init(_ code: FaultCode, _ subject: String, detail: String = "", hint: String = "") {
    self.code = code
    self.subject = subject.safeForDisplay.shortened(toUTF8Count: Self.subjectLimit)
    self.detail = detail.safeForDisplay.shortened(toUTF8Count: Self.detailLimit)
    self.hint = hint.safeForDisplay.shortened(toUTF8Count: Self.detailLimit)
  }

  /// The detail of a connection that the other end closed properly.
  public static let endOfFile = "EOF"

  /// Whether the connection was closed properly, and not broken.
  public var isEndOfFile: Bool { code == .connectionLost && detail == Self.endOfFile }

  // Docker keeps 4,096 bytes of a check's output: the reason must leave room for the rest.
  private static let subjectLimit = 400
  private static let detailLimit = 600

  /// What failed, where, and what was seen: one line without a full stop.
  public var summary: String {
    var text = code.phrase
    if !subject.isEmpty { text += " " + subject }
    if !detail.isEmpty { text += text.utf8.last == 0x3A ? " " + detail : " (" + detail + ")" }
    return text
  }

  /// The summary and what to do about it: one line without a full stop.
  public var reason: String {
    let advice = hint.isEmpty ? code.advice : hint
    return advice.isEmpty ? summary : summary + "; " + advice
  }
}
