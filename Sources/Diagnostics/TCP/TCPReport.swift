// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import JSON
internal import Sys

/// What `netdiag tcp` has found: each address of a host, and what came of connecting to it.
struct TCPReport {
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

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let nameFailure { output.line(.failure, nameFailure.meaning) }
    for address in addresses {
      output.line(mark(address), address.address.text + "  " + Self.summary(address))
      for hop in address.hops { output.detail(Self.text(hop)) }
    }
  }

  private static func summary(_ address: Address) -> String {
    guard let first = address.attempts.first else { return "not tried" }
    guard address.attempts.count > 1 else {
      var text = first.outcome == .open ? "open in \(duration(first.time))" : first.outcome.meaning
      if first.outcome != .open { text += "; after \(duration(first.time))" }
      if first.retransmits > 0 { text += "; the first packet was sent \(first.retransmits + 1) times" }
      return text
    }
    var text = "\(address.open.count) of \(address.attempts.count) open"
    let times = address.times
    if !times.isEmpty {
      let shown = [("min", 0), ("p50", 50), ("p99", 99), ("max", 100)].map { name, percent in
        name + " " + duration(times[Self.index(percent, of: times.count)])
      }
      text += "  " + shown.joined(separator: " ")
    }
    if address.retransmits > 0 { text += "  \(address.retransmits) first packets sent again" }
    if address.open.count < address.attempts.count, let outcome = address.outcome { text += "; " + outcome.meaning }
    return text
  }

  private static func text(_ hop: TCPHop) -> String {
    let number = String(hop.limit).padded(to: 4)
    if let router = hop.router { return number + router.host + "  " + duration(hop.time) }
    if let end = hop.end { return number + "the address itself: \(end.meaning)  " + duration(hop.time) }
    return number + "no answer"
  }

  /// Where a percentile is among so many sorted values.
  static func index(_ percent: Int, of count: Int) -> Int { max(0, min(count - 1, (count * percent + 99) / 100 - 1)) }

  /// A time as people read it, to three digits or so.
  static func duration(_ nanoseconds: Int64) -> String {
    let step: Int64 = nanoseconds < 1_000_000 ? 1_000 : nanoseconds < 1_000_000_000 ? 10_000 : 1_000_000
    return GoDuration.format(nanoseconds / step * step)
  }

  // MARK: - JSON

  /// The report as one document.
  var json: JSONWriter {
    var json = JSONWriter()
    json.beginObject()
    json.key("schema")
    json.integer(1)
    json.key("command")
    json.string("tcp")
    json.key("ok")
    json.boolean(worst <= .warning)
    json.key("code")
    json.string(code)
    json.key("error")
    if let nameFailure { json.string(nameFailure.meaning) } else { json.null() }
    json.key("target")
    json.string(endpoint.text)
    json.key("addresses")
    json.beginArray()
    for address in addresses { append(address, to: &json) }
    json.endArray()
    json.endObject()
    return json
  }

  private func append(_ address: Address, to json: inout JSONWriter) {
    json.beginObject()
    json.key("address")
    json.string(address.address.text)
    json.key("code")
    json.string(address.outcome?.code ?? "OK")
    json.key("meaning")
    json.string(address.outcome?.meaning ?? "")
    json.key("sender")
    switch address.outcome {
    case .rejected(let error): json.optional(error.sender?.host)
    case .hostDown(let sender): json.optional(sender?.host)
    default: json.null()
    }
    json.key("attempts")
    json.integer(Int64(address.attempts.count))
    json.key("open")
    json.integer(Int64(address.open.count))
    json.key("synRetransmits")
    json.integer(Int64(address.retransmits))
    json.key("milliseconds")
    let times = address.times
    if times.isEmpty {
      json.null()
    } else {
      json.beginObject()
      for (name, percent) in [("min", 0), ("p50", 50), ("p99", 99), ("max", 100)] {
        json.key(name)
        json.thousandths(times[Self.index(percent, of: times.count)] / 1_000)
      }
      json.endObject()
    }
    json.key("hops")
    json.beginArray()
    for hop in address.hops {
      json.beginObject()
      json.key("hop")
      json.integer(Int64(hop.limit))
      json.key("address")
      json.optional(hop.router?.host)
      json.key("code")
      json.optional(hop.end?.code)
      json.key("milliseconds")
      json.thousandths(hop.time / 1_000)
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }
}

extension JSONWriter {
  /// Writes a string, or null.
  mutating func optional(_ value: String?) {
    if let value { string(value) } else { null() }
  }
}
