// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys

/// What came of an attempt to connect.
enum TCPOutcome: Equatable {
  /// The connection stands, and still did a moment later.
  case open
  /// It was accepted, and over at once: by a reset, or properly.
  case closedAtOnce(isReset: Bool)
  /// A RST came.
  case refused
  /// A router, a firewall or the host itself said no by ICMP.
  case rejected(NetworkError)
  /// Nobody has that address on the network.
  case hostDown(by: SocketAddress?)
  /// No route leads there.
  case noRoute
  /// The own machine forbids it: a route or a firewall of its own.
  case forbidden(SystemError)
  /// Nothing came back.
  case silence
  /// The own machine could not even try.
  case failed(SystemError)

  /// The stable code.
  var code: String {
    switch self {
    case .open: "OK"
    case .closedAtOnce: "ACCEPTED_THEN_CLOSED"
    case .refused: "TCP_REFUSED"
    case .rejected: "TCP_FILTERED"
    case .hostDown: "HOST_DOWN"
    case .noRoute: "NO_ROUTE"
    case .forbidden: "FORBIDDEN_LOCALLY"
    case .silence: "TCP_TIMEOUT"
    case .failed(let error):
      switch error.errno {
      case Errno.tooManyFiles, Errno.tooManyFilesInSystem: "FD_LIMIT"
      case Errno.addressNotAvailable: "EPHEMERAL_PORTS_EXHAUSTED"
      default: "TCP_FAILED"
      }
    }
  }

  /// What it means, without a full stop. It claims no more than what was seen.
  var meaning: String {
    switch self {
    case .open: "open"
    case .closedAtOnce(let isReset):
      "accepted, then \(isReset ? "reset" : "closed") at once: a proxy in front has nobody behind it, or the server "
        + "turns this client away"
    case .refused:
      "refused by a RST: the host is up, and nothing listens there (or a firewall answers as if)"
    case .rejected(let error):
      "rejected by ICMP \(error.name)" + (error.sender.map { " from \($0.host)" } ?? "")
        + ": a firewall or a router, not the server"
    case .hostDown(let sender):
      "nobody answers for this address" + (sender.map { " (says \($0.host))" } ?? "")
        + ": the host or container is stopped, or on another network"
    case .noRoute: "no route leads there"
    case .forbidden(let error): "this machine itself forbids it (\(error.text)): a route or a firewall of its own"
    case .silence:
      "no answer at all: a firewall drops it, the address is on another network, or the server's queue is full"
    case .failed(let error):
      switch code {
      case "FD_LIMIT": "no descriptor is left (\(error.text))"
      case "EPHEMERAL_PORTS_EXHAUSTED":
        "no port of its own is left, or the address family is switched off (\(error.text))"
      default: "\(error.operation) failed: \(error.text)"
      }
    }
  }

  /// Who said so, where it was not the address itself.
  var sender: SocketAddress? {
    switch self {
    case .rejected(let error): error.sender
    case .hostDown(let sender): sender
    default: nil
    }
  }

  /// What a failed connect means, with what the network said of it.
  init(_ error: SystemError, _ networkErrors: [NetworkError], to address: SocketAddress, isSynchronous: Bool) {
    let said = networkErrors.last { $0.origin != .local }
    switch error.errno {
    case Errno.connectionRefused:
      self = said.map { .rejected($0) } ?? .refused
    case Errno.hostUnreachable:
      // ICMP 3/1 is what the own kernel, or the last router, says when nobody answers for an address on its link. An
      // address that says so of itself is there, and a firewall speaks.
      if let said, said.isHostUnreachable, said.sender?.host != address.host {
        self = .hostDown(by: said.sender)
      } else if let said {
        self = .rejected(said)
      } else {
        self = isSynchronous ? .noRoute : .hostDown(by: nil)
      }
    case Errno.networkUnreachable: self = said.map { .rejected($0) } ?? .noRoute
    case Errno.noProtocol: self = said.map { .rejected($0) } ?? .failed(error)
    case Errno.permissionDenied, Errno.notPermitted:
      if let said { self = .rejected(said) } else { self = .forbidden(error) }
    case Errno.invalidArgument where isSynchronous: self = .forbidden(error)
    case Errno.timedOut: self = .silence
    // A RST that answers the first packet is a refusal: this one came after the connection stood.
    case Errno.connectionReset: self = .closedAtOnce(isReset: true)
    default: self = .failed(error)
    }
  }
}

extension NetworkError {
  fileprivate var isHostUnreachable: Bool { origin == .icmp && code == 1 || origin == .icmp6 && code == 3 }

  /// The message's name (RFC 792, RFC 1812, RFC 4443).
  var name: String {
    switch (origin, type, code) {
    case (.icmp, 3, 0): "network unreachable"
    case (.icmp, 3, 1): "host unreachable"
    case (.icmp, 3, 2): "protocol unreachable"
    case (.icmp, 3, 3): "port unreachable"
    case (.icmp, 3, 9): "network prohibited"
    case (.icmp, 3, 10): "host prohibited"
    case (.icmp, 3, 13): "administratively prohibited"
    case (.icmp, 11, 0): "time exceeded"
    case (.icmp6, 1, 0): "no route"
    case (.icmp6, 1, 1): "administratively prohibited"
    case (.icmp6, 1, 3): "address unreachable"
    case (.icmp6, 1, 4): "port unreachable"
    case (.icmp6, 1, 5): "policy fail"
    case (.icmp6, 1, 6): "reject route"
    case (.icmp6, 3, 0): "time exceeded"
    default: "type \(type) code \(code)"
    }
  }
}

extension SocketAddress {
  /// The address without its port.
  var host: String {
    switch self {
    case .ipv4(let bytes, _), .ipv6(let bytes, _, _): IPAddress(bytes)?.text ?? text
    case .unix, .unixAbstract: text
    }
  }
}
