// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Fault
internal import JSON
internal import Sys

/// What `netdiag balance` has found: how connections and calls are spread over the servers behind a target.
struct BalanceReport: Report {
  static let command = "balance"

  let endpoint: Endpoint
  /// The target's addresses, as a program here gets them.
  let addresses: [SocketAddress]
  /// The connections that were there before.
  let connections: PeerCounts
  /// Who answered calls; nil where none were made.
  var calls: BalanceProbe.Findings?
  /// Why none could be made; nil where that was not tried, or worked.
  var failure: Fault?
  private let nameFailure: NameFailure?

  /// A report of the connections to some addresses.
  init(endpoint: Endpoint, addresses: [SocketAddress], connections: PeerCounts, calls: BalanceProbe.Findings? = nil) {
    (self.endpoint, self.addresses, self.connections, self.calls) = (endpoint, addresses, connections, calls)
    nameFailure = nil
  }

  /// A report of a target that has no address.
  init(endpoint: Endpoint, nameFailure: NameFailure) {
    (self.endpoint, addresses, connections) = (endpoint, [], PeerCounts(peers: []))
    self.nameFailure = nameFailure
  }

  /// What the calls tell.
  enum Spread {
    /// None were made.
    case notAsked
    /// The calls of one connection are answered by several servers.
    case byCall
    /// Those of one connection by one server, those of several connections by several.
    case byConnection
    /// One server answers them all: it is alone, or always chosen.
    case oneServer
    /// The answers do not say whose they are.
    case unnamed
    /// Calls went without an answer.
    case unanswered(Fault)
  }

  /// What the calls tell.
  var spread: Spread {
    guard let calls else { return failure.map { .unanswered($0) } ?? .notAsked }
    let (one, many) = (calls.oneConnection, calls.manyConnections)
    if one.answered == 0 || many.answered == 0, let fault = one.fault ?? many.fault { return .unanswered(fault) }
    if one.counts.isEmpty || many.counts.isEmpty { return .unnamed }
    if one.counts.count > 1 { return .byCall }
    // One call meets one server, whatever stands in between.
    guard one.answered > 1 else { return .oneServer }
    return Set(one.counts.keys).union(many.counts.keys).count > 1 ? .byConnection : .oneServer
  }

  private var verdict: (mark: Mark, code: String, text: String?) {
    if let nameFailure { return (.failure, nameFailure.code, nameFailure.meaning) }
    if let failure = connections.failure, calls == nil {
      return (.unknown, "UNDETERMINED", "the kernel does not tell connections: \(failure)")
    }
    switch spread {
    case .notAsked: return (.note, "OK", nil)
    case .byCall: return (.ok, "OK", "the calls of one connection are answered by several servers: calls are balanced")
    case .byConnection:
      let cure =
        addresses.count > 1
        ? "clients spread their calls with the policy round_robin, as the name has \(addresses.count) addresses"
        : "a proxy that balances calls, or a name with all servers' addresses, spreads them"
      return (
        .failure, "ONE_BACKEND",
        "all calls of one connection are answered by one server, other connections by others: \(cure)"
      )
    case .oneServer:
      return (.note, "OK", "one server answers all: it is alone, or the same one is chosen for this client each time")
    case .unnamed:
      return (
        .unknown, "UNDETERMINED",
        "answers have no \(calls?.header.safeForDisplay ?? "") that tells who gave them; --by names other metadata"
      )
    case .unanswered(let fault): return (fault.mark, fault.diagnosis, fault.programReason)
    }
  }

  var worst: Mark {
    let isPartial = [calls?.oneConnection, calls?.manyConnections].contains { $0?.fault != nil }
    return max(verdict.mark, isPartial ? .warning : .ok)
  }

  var code: String {
    let verdict = verdict
    if verdict.mark <= .note, worst == .warning, let fault = calls?.oneConnection.fault ?? calls?.manyConnections.fault
    {
      return fault.diagnosis
    }
    return verdict.code
  }

  var error: String? { verdict.mark >= .unknown && code != "ONE_BACKEND" ? verdict.text : nil }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if nameFailure == nil {
      let names = addresses.map { $0.host }
      let more = names.count > 8 ? " and \(names.count - 8) more" : ""
      output.line(.ok, "\(endpoint.hostText) is \(names.prefix(8).joined(separator: " "))\(more)")
      writeConnections(to: &output)
    }
    if let calls {
      write(calls.oneConnection, "on one connection", to: &output)
      write(calls.manyConnections, "on a connection each", to: &output)
    }
    if let text = verdict.text { output.line(verdict.mark, text) }
  }

  private func writeConnections(to output: inout TextOutput) {
    if let failure = connections.failure {
      return output.line(.note, "the kernel does not tell connections: \(failure)")
    }
    let total = connections.total
    output.line(.note, "\(total) \(total == 1 ? "connection" : "connections") from this network namespace")
    for peer in connections.peers { output.detail("\(peer.count)  \(peer.address)") }
    if connections.peers.count == 1, addresses.count == 1 {
      output.detail("how many servers are behind one address cannot be seen from here; --calls asks them")
    }
  }

  private func write(_ served: ServedBy, _ how: String, to output: inout TextOutput) {
    let isWhole = served.answered == served.made
    output.line(isWhole ? .ok : .warning, "\(served.answered) of \(served.made) calls answered \(how)")
    for name in served.names { output.detail("\(name.count)  \(name.name.safeForDisplay)") }
    if let fault = served.fault { output.detail(fault.programReason) }
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", endpoint.text)
    json.member("addresses", addresses.map { $0.host })
    json.members("connections", connections.peers) { peer, json in
      json.member("address", peer.address)
      json.member("count", peer.count)
    }
    json.member("by", calls?.header.safeForDisplay)
    append("oneConnection", calls?.oneConnection, to: &json)
    append("manyConnections", calls?.manyConnections, to: &json)
  }

  private func append(_ name: String, _ served: ServedBy?, to json: inout JSONWriter) {
    json.key(name)
    guard let served else { return json.null() }
    json.beginObject()
    json.member("made", served.made)
    json.member("answered", served.answered)
    json.members("servedBy", served.names) { one, json in
      json.member("name", one.name.safeForDisplay)
      json.member("count", one.count)
    }
    json.member("reason", served.fault?.programReason)
    json.endObject()
  }
}
