// SPDX-License-Identifier: Apache-2.0

/// What is looked at on the way to a server, in this order: what is wrong at one layer shows in all that come after it.
enum Layer: String, CaseIterable, Comparable {
  /// This place: its networks, rights and limits.
  case environment
  /// Who listens, where the target is this place itself.
  case port
  /// The name and its addresses.
  case name
  /// The way that packets take to each address.
  case route
  /// Connections to each address.
  case tcp
  /// What the server speaks.
  case speech = "protocol"
  /// TLS, and the certificates.
  case tls
  /// The first frames of HTTP/2.
  case http2
  /// The answers of gRPC's health service.
  case health
  /// A proxy that other clients here would use.
  case proxy
  /// The connections that are there beside ours.
  case connections

  static func < (a: Layer, b: Layer) -> Bool { a.number < b.number }

  private var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// One thing that was looked at, and what was seen.
struct Check: Equatable {
  let layer: Layer
  var mark: Mark
  /// The stable code; `OK` where all is well.
  let code: String
  /// What was seen, without a full stop, safe to print.
  let text: String
  /// The address that it is about; nil where it is about the target as a whole.
  var address: String?

  init(_ layer: Layer, _ mark: Mark, _ code: String, _ text: String, at address: String? = nil) {
    (self.layer, self.mark, self.code, self.text, self.address) = (layer, mark, code, text, address)
  }
}

/// How much is expected of the target.
enum Expectation: String, CaseIterable, Comparable {
  /// Connections.
  case tcp
  /// TLS with a valid certificate.
  case tls
  /// HTTP/2, over TLS or in the clear.
  case http2
  /// gRPC, and a service that says that it is well.
  case grpc

  static func < (a: Expectation, b: Expectation) -> Bool { a.number < b.number }

  /// The layer at which it is seen whether that is so.
  var layer: Layer {
    switch self {
    case .tcp: .tcp
    case .tls: .tls
    case .http2: .http2
    case .grpc: .health
    }
  }

  private var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
