// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import JSON
internal import Sys

/// What `netdiag tcp` has found: each address of a host, and what came of connecting to it.
struct TCPReport: Report {
  static let command = "tcp"

  /// One address and its attempts.
  struct Address {
    let address: SocketAddress
    let attempts: [TCPAttempt]
    /// The way to it, where it was asked for.
    let hops: [TCPHop]

    /// Attempts that came to an open connection.
    var open: [TCPAttempt] { attempts.filter { $0.outcome == .open } }

    /// The outcome that stands for all: the last one that was no success, if any.
    var outcome: TCPOutcome? { (attempts.last { $0.outcome != .open } ?? attempts.last)?.outcome }

    /// Times until connections stood, in nanoseconds, the shortest first.
    var times: [Int64] { open.map { $0.time }.sorted() }

    var retransmits: UInt32 { attempts.reduce(0) { $0 &+ $1.retransmits } }
  }

  let endpoint: Endpoint
  let addresses: [Address]
  /// Why there is no address; nil where there is.
  let nameFailure: NameFailure?

  /// A report of what was found.
  init(endpoint: Endpoint, addresses: [Address], nameFailure: NameFailure?) {
    (self.endpoint, self.addresses, self.nameFailure) = (endpoint, addresses, nameFailure)
  }

  /// Whether one address at least takes connections, each time.
  private var isReachable: Bool { addresses.contains { !$0.attempts.isEmpty && $0.open.count == $0.attempts.count } }

  private func mark(_ address: Address) -> Mark {
    if address.open.count == address.attempts.count { return .ok }
    return isReachable ? .warning : .failure
  }

  /// The worst that is said of any address.
  var worst: Mark { nameFailure == nil ? addresses.map { mark($0) }.max() ?? .failure : .failure }

  /// The code of the worst address; `OK` where one is reachable.
  var code: String {
    if let nameFailure { return nameFailure.code }
    if isReachable { return "OK" }
    return addresses.first { $0.open.count < $0.attempts.count }?.outcome?.code ?? "OK"
  }

  var error: String? { nameFailure?.meaning }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let nameFailure { output.line(.failure, nameFailure.meaning) }
    for address in addresses {
      output.line(mark(address), address.address.text + "  " + address.summary)
      for hop in address.hops { output.detail(Self.text(hop)) }
    }
  }

  private static func text(_ hop: TCPHop) -> String {
    let number = String(hop.limit).padded(to: 4)
    if let router = hop.router { return number + router.host + "  " + shownDuration(hop.time) }
    if let end = hop.end { return number + "the address itself: \(end.meaning)  " + shownDuration(hop.time) }
    return number + "no answer"
  }

  fileprivate static let percentiles = [("min", 0), ("p50", 50), ("p99", 99), ("max", 100)]

  /// Where a percentile is among so many sorted values.
  static func index(_ percent: Int, of count: Int) -> Int { max(0, min(count - 1, (count * percent + 99) / 100 - 1)) }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", endpoint.text)
    json.members("addresses", addresses) { address, json in
      let outcome = address.outcome
      json.member("address", address.address.text)
      json.member("code", outcome?.code ?? "OK")
      json.member("meaning", outcome?.meaning ?? "")
      json.member("sender", outcome?.sender?.host)
      json.member("attempts", address.attempts.count)
      json.member("open", address.open.count)
      json.member("synRetransmits", address.retransmits)
      append(address.times, to: &json)
      json.members("hops", address.hops) { hop, json in
        json.member("hop", hop.limit)
        json.member("address", hop.router?.host)
        json.member("code", hop.end?.code)
        json.milliseconds("milliseconds", hop.time)
      }
    }
  }

  private func append(_ times: [Int64], to json: inout JSONWriter) {
    json.key("milliseconds")
    if times.isEmpty { return json.null() }
    json.beginObject()
    for (name, percent) in Self.percentiles { json.milliseconds(name, times[Self.index(percent, of: times.count)]) }
    json.endObject()
  }
}

extension TCPReport.Address {
  /// What came of all attempts, in a few words.
  var summary: String {
    guard let first = attempts.first else { return "not tried" }
    guard attempts.count > 1 else {
      var text = first.outcome == .open ? "open in \(shownDuration(first.time))" : first.outcome.meaning
      if first.outcome != .open { text += "; after \(shownDuration(first.time))" }
      if first.retransmits > 0 { text += "; the first packet was sent \(first.retransmits + 1) times" }
      return text
    }
    var text = "\(open.count) of \(attempts.count) open"
    let times = times
    if !times.isEmpty {
      let shown = TCPReport.percentiles.map { name, percent in
        name + " " + shownDuration(times[TCPReport.index(percent, of: times.count)])
      }
      text += "  " + shown.joined(separator: " ")
    }
    if retransmits > 0 { text += "  \(retransmits) first packets sent again" }
    if open.count < attempts.count, let outcome = outcome { text += "; " + outcome.meaning }
    return text
  }
}
