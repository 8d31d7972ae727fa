// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sniff

extension Fault {
  /// The fault of somebody who was to speak HTTP/2 and began with these bytes.
  public init(insteadOfHTTP2 firstBytes: [UInt8], at name: String) {
    let speech = Speech(firstBytes)
    switch speech {
    case .tls, .tlsWanted: self.init(.serverSpeaksTLS, name)
    case .http1: self.init(.serverSpeaksHTTP1, name, detail: speech.observation)
    case .http2: self.init(.protocolViolation, name)
    default: self.init(.serverNotHTTP2, name, detail: speech.observation)
    }
  }

  /// The fault of somebody who was to speak TLS and began with these bytes.
  public init(insteadOfTLS firstBytes: [UInt8], at name: String) {
    let speech = Speech(firstBytes)
    switch speech {
    case .tls: self.init(.tlsFailed, name)
    default: self.init(.serverNotTLS, name, detail: speech.observation)
    }
  }
}

extension Speech {
  /// What was heard, in a few words.
  fileprivate var observation: String {
    if let line { return "it said \(line.quoted)" }
    return switch self {
    case .http2: "it speaks HTTP/2 in the clear"
    case .echo: "it sends back what it is sent"
    case .binary(let hex): "its first bytes are \(hex)"
    default: ""
    }
  }
}
