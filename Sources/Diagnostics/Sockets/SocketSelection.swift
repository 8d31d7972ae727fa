// SPDX-License-Identifier: Apache-2.0

internal import Netlink

/// Which sockets are asked for, and what is to be told of them.
struct SocketSelection {
  /// Transports, a bit each.
  struct Transports: OptionSet {
    let rawValue: UInt8
    static let tcp = Transports(rawValue: 1)
    static let udp = Transports(rawValue: 2)
    static let unix = Transports(rawValue: 4)
  }

  /// What was asked for where no state is named.
  enum Scope {
    /// Those with a peer.
    case connected
    /// Those that take connections, or datagrams from anybody.
    case listening
    /// All.
    case all
  }

  var transports: Transports
  var families: Families
  var scope = Scope.connected
  var filter: SocketFilter?
  var wantsInfo = false
  var wantsMemory = false

  /// The states that are asked about. A listening TCP socket is one in that state: asked for closed ones too, the
  /// kernel would walk through every connection there is.
  func states(of transport: Transports) -> SocketStates {
    if let states = filter?.states { return states }
    return switch scope {
    case .all: .all
    case .connected: transport == .udp ? .established : .connections
    case .listening: transport == .tcp ? .listen : [.listen, .closed]
    }
  }

  /// The questions about a transport's sockets, one for each family that can have such.
  func queries(_ transport: SocketQuery.Transport) -> [SocketQuery] {
    var queries: [SocketQuery] = []
    for (family, isIPv6) in [(Families.ipv4, false), (.ipv6, true)] where families.contains(family) {
      if filter?.condition?.canMatch(isIPv6: isIPv6) == false { continue }
      var extensions: SocketQuery.Extensions = wantsMemory ? .memory : []
      if wantsInfo { extensions.formUnion([.info, .congestionControl]) }
      queries.append(
        SocketQuery(
          transport, isIPv6: isIPv6, states: states(of: transport == .tcp ? .tcp : .udp), extensions: extensions,
          condition: filter?.condition))
    }
    return queries
  }
}
