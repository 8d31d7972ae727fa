// SPDX-License-Identifier: Apache-2.0

public import TLS

// Sniff: what a peer speaks, told from the first bytes that it said, whatever was said to it.

/// What a peer speaks, as far as its first bytes tell.
public enum Speech: Equatable, Sendable {
  /// HTTP/2 in the clear: SETTINGS with so many bytes, or the beginning of its frame.
  case http2(settingsLength: Int)
  /// TLS: an alert, where it is in the clear, or another record of this version.
  case tls(version: TLSVersion, alert: Alert?)
  /// TLS, as a server tells in plain HTTP/1.x whom it took for a client without it. Its status line.
  case tlsWanted(String)
  /// HTTP/1.x: the first line, which is a page's where there is no status.
  case http1(String, status: Int?)
  /// SSH (RFC 4253 section 4.2): its version line.
  case ssh(String)
  /// SMTP (RFC 5321 section 4.2): its greeting.
  case smtp(String)
  /// FTP (RFC 959): its greeting.
  case ftp(String)
  /// Redis: its error, as what was said to it is no command.
  case redis(String)
  /// MySQL: its version, or its error.
  case mysql(String)
  /// PostgreSQL: its error, as what was said to it is no beginning.
  case postgresql(String)
  /// It gives back what it is sent.
  case echo
  /// A line of text of no known kind.
  case text(String)
  /// Anything else: the first bytes in hexadecimal.
  case binary(String)
  /// It said nothing.
  case nothing

  /// An alert in the clear.
  public struct Alert: Equatable, Sendable {
    /// Whether it ends the connection, as all but few do.
    public var isFatal: Bool
    /// What it says.
    public var description: TLSAlert

    /// An alert of a level and a description.
    public init(isFatal: Bool, _ description: TLSAlert) {
      self.isFatal = isFatal
      self.description = description
    }
  }

  /// The stable name in machine-readable output; names are added, never changed.
  public var word: String {
    switch self {
    case .http2: "http2"
    case .tls, .tlsWanted: "tls"
    case .http1: "http1"
    case .ssh: "ssh"
    case .smtp: "smtp"
    case .ftp: "ftp"
    case .redis: "redis"
    case .mysql: "mysql"
    case .postgresql: "postgresql"
    case .echo: "echo"
    case .text: "text"
    case .binary: "binary"
    case .nothing: "nothing"
    }
  }

  /// The line of text that was said, where it was one. It is what the peer chose: not safe to print, but short.
  public var line: String? {
    switch self {
    case .tlsWanted(let line), .http1(let line, _), .ssh(let line), .smtp(let line), .ftp(let line),
      .redis(let line), .mysql(let line), .postgresql(let line), .text(let line):
      line
    case .http2, .tls, .echo, .binary, .nothing: nil
    }
  }
}
