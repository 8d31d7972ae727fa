// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import TLS

/// What was said to a peer before it was listened to.
public enum Opening: String, CaseIterable, Sendable {
  /// Nothing: whoever speaks first shows itself.
  case nothing
  /// The opening of HTTP/2: its magic and SETTINGS.
  case http2 = "http2-preface"
  /// The opening of TLS.
  case tls = "client-hello"
  /// A request of HTTP/1.1.
  case http1 = "http1-request"
}

/// How a peer's first words ended. The raw value is the stable name in machine-readable output.
public enum Ending: String, CaseIterable, Sendable {
  /// They said all that was needed; the connection was still open.
  case open
  /// No more came in time; the connection was still open.
  case silence
  /// The peer ended its side in order (FIN).
  case closed
  /// The peer broke the connection (RST).
  case reset
}

/// What a peer speaks, and what that was told from.
public struct Finding: Equatable, Sendable {
  /// What it speaks.
  public let speech: Speech
  /// What it had been told.
  public let opening: Opening
  /// How it ended.
  public let ending: Ending

  /// A finding of these parts.
  public init(_ speech: Speech, after opening: Opening, ending: Ending) {
    self.speech = speech
    self.opening = opening
    self.ending = ending
  }

  /// The finding as the end of a sentence about the peer, without a full stop, safe to print:
  /// `speaks TLS: it answered with the fatal alert protocol_version`.
  public var sentence: String {
    let line = (speech.line ?? "").quoted
    return switch speech {
    case .http2(let length): "speaks HTTP/2 in the clear: its first frame is SETTINGS of \(length) bytes"
    case .tls(_, .some(let alert)):
      "speaks TLS: it answered with the \(alert.isFatal ? "fatal" : "warning") alert \(alert.description.name)"
    case .tls(let version, nil): "speaks TLS: it answered with a record of \(version.name)"
    case .tlsWanted: "speaks TLS: it said \(line) to a client without it"
    case .http1(_, .some): "speaks HTTP/1.x: it said \(line)"
    case .http1(_, nil): "speaks HTTP/1.x, or an older one: it answered with a page that begins with \(line)"
    case .ssh: "speaks SSH: it said \(line)"
    case .smtp: "speaks SMTP: it said \(line)"
    case .ftp: "speaks FTP: it said \(line)"
    case .redis: "is a Redis server: it said \(line)"
    case .mysql: "is a MySQL server: it said \(line)"
    case .postgresql: "is a PostgreSQL server: it said \(line)"
    case .echo: "sends back what it is sent"
    case .text: "speaks no protocol that is known here: it said \(line)"
    case .binary(let hex): "speaks no protocol that is known here: its first bytes are \(hex)"
    case .nothing: nothingSentence
    }
  }

  private var nothingSentence: String {
    switch (ending, opening) {
    case (.open, _): "has said nothing so far"
    case (.silence, .nothing):
      "says nothing until it is spoken to, as servers of TLS and HTTP/1.1 do, or does not serve its connections"
    case (.silence, _): "does not answer \(openingName): it hangs, or waits for something else"
    case (.closed, .nothing): "closes the connection before it is spoken to"
    case (.closed, .http2), (.closed, .http1):
      "closes the connection without a word on \(openingName): it may speak TLS, or refuse this client"
    case (.closed, .tls):
      "closes the connection without a word on \(openingName): it may speak something else, or refuse this client"
    case (.reset, .nothing):
      "breaks the connection before it is spoken to: something accepts connections for a server that is not there"
    case (.reset, _): "breaks the connection without a word on \(openingName)"
    }
  }

  private var openingName: String {
    switch opening {
    case .nothing: "nothing"
    case .http2: "the opening of HTTP/2"
    case .tls: "the opening of TLS"
    case .http1: "a request of HTTP/1.1"
    }
  }
}

/// Listens to the first bytes of a peer until they tell what it speaks.
public struct Sniffer: Sendable {
  private let opening: Opening
  private var bytes: [UInt8] = []

  /// A sniffer of a peer that was told this.
  public init(after opening: Opening) { self.opening = opening }

  /// Takes bytes, and gives the finding once it is certain; nil while more of them are needed. What comes after the
  /// first ``Speech/bytesSeen`` does not matter.
  public mutating func receive(_ received: Span<UInt8>) -> Finding? {
    for index in 0..<min(received.count, Speech.bytesSeen - bytes.count) { bytes.append(received[index]) }
    return Speech.early(bytes).map { Finding($0, after: opening, ending: .open) }
  }

  /// The finding where no more bytes come, for the given reason, or will be waited for.
  public func finding(at ending: Ending) -> Finding { Finding(Speech(bytes), after: opening, ending: ending) }
}
