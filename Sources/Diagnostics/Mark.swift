// SPDX-License-Identifier: Apache-2.0

internal import Fault
internal import Sys

/// What a line of the output amounts to, the least severe first.
enum Mark: Int, Comparable {
  /// As it should be.
  case ok
  /// Worth knowing.
  case note
  /// It may be what is wrong.
  case warning
  /// It could not be determined.
  case unknown
  /// It is wrong.
  case failure

  static func < (a: Mark, b: Mark) -> Bool { a.rawValue < b.rawValue }

  /// The word that begins a line.
  var word: String {
    switch self {
    case .ok: "ok"
    case .note: "note"
    case .warning: "warn"
    case .unknown: "?"
    case .failure: "FAIL"
    }
  }

  /// The colour of the word on a terminal (ECMA-48, SGR).
  fileprivate var colour: String {
    switch self {
    case .ok: "32"
    case .note: "36"
    case .warning, .unknown: "33"
    case .failure: "31;1"
    }
  }
}

extension Fault {
  /// What the fault amounts to: a run that a signal ended has found nothing out.
  var mark: Mark { code == .cancelled ? .unknown : .failure }
}

/// Lines for people: a mark, then the text; what belongs to it is indented below.
struct TextOutput {
  private(set) var text = ""
  private let hasColour: Bool

  /// Output with or without colour.
  init(hasColour: Bool) { self.hasColour = hasColour }

  /// Output for a stream: colour only on a terminal, and never with `NO_COLOR`.
  init(_ stream: StandardStream, _ environment: (String) -> String?) {
    let isWanted = (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    self.init(hasColour: isWanted && stream.isTerminal)
  }

  /// Adds a line.
  mutating func line(_ mark: Mark, _ line: String) {
    let word = mark.word.padded(to: 6)
    text += hasColour ? "\u{1B}[\(mark.colour)m\(word)\u{1B}[0m" : word
    text += line + "\n"
  }

  /// Adds text without a mark, as it stands.
  mutating func plain(_ line: String) { text += line + "\n" }

  /// Adds a line that belongs to the one above.
  mutating func detail(_ line: String) { text += "      " + line + "\n" }
}

extension String {
  /// The text with spaces behind it up to a count of columns, each character taken for one.
  func padded(to columns: Int) -> String {
    let missing = columns - unicodeScalars.count
    return missing > 0 ? self + String(repeating: " ", count: missing) : self
  }
}
