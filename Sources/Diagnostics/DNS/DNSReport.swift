// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import Sys

/// What `netdiag dns` has found: what the hosts file says of a name, and what each name server does.
struct DNSReport: Report {
  static let command = "dns"

  /// One name of the search list, and what came of asking a server for it.
  struct Step {
    let name: DNSName
    /// One for each type.
    let replies: [DNSReply]

    /// The code of the one reply that decides. A name that has records of one type exists, whatever the others say.
    var code: String {
      ["OK", "DNS_NXDOMAIN", "DNS_SERVFAIL", "DNS_REFUSED", "DNS_TIMEOUT", "DNS_UNREACHABLE"]
        .first { code in replies.contains { $0.code == code } } ?? replies.first?.code ?? "SYSTEM_FAILURE"
    }

    /// What the one reply that decides means.
    var meaning: String { replies.first { $0.code == code }?.meaning ?? "" }
  }

  /// An address of an answer, and a name that the same server has for it.
  struct Pointer {
    let address: IPAddress
    let name: DNSName
  }

  /// One name server and what it says.
  struct Server {
    let address: SocketAddress
    /// The names that it was asked for, in their order.
    let steps: [Step]
    let pointers: [Pointer]

    /// The step that decides: the one with records, else the one that says most of why there are none.
    var step: Step? {
      let order = [
        "OK", "DNS_TIMEOUT", "DNS_UNREACHABLE", "SYSTEM_FAILURE", "DNS_NO_ADDRESS", "DNS_SERVFAIL", "DNS_REFUSED",
      ]
      for code in order {
        if let step = steps.first(where: { $0.code == code }) { return step }
      }
      return steps.last
    }

    /// The stable code.
    var code: String { step?.code ?? "SYSTEM_FAILURE" }

    /// Whether a resolver would ask no other server after this one.
    var isDefinite: Bool { ["OK", "DNS_NXDOMAIN", "DNS_NO_ADDRESS"].contains(code) }

    /// Whether it is the resolver that Docker has in each container on a network that a user made.
    var isDocker: Bool { if case .ipv4([127, 0, 0, 11], _) = address { true } else { false } }

    /// The address as people write it: without the port where it is the usual one.
    var text: String {
      switch address {
      case .ipv4(_, port: 53): address.host
      case .ipv6(_, port: 53, scope: 0): address.host
      default: address.text
      }
    }

    /// What it says, without a full stop.
    var meaning: String {
      guard let step else { return "it was not asked" }
      guard step.code == "OK" else { return step.meaning + hint(step.code) }
      let count = step.replies.reduce(0) { $0 + $1.data.count }
      return "\(count) \(count == 1 ? "record" : "records")"
    }

    private func hint(_ code: String) -> String {
      guard isDocker else { return "" }
      return switch code {
      case "DNS_NXDOMAIN": ": no container of this name is on a network of this one"
      case "DNS_SERVFAIL":
        ": a container's name that is not on a network of this one gets this, too, where no way leads out"
      default: ""
      }
    }

    /// The container and the network that a name of Docker's resolver stands for; nil where it need not be one.
    func container(_ pointer: Pointer) -> (name: String, network: String)? {
      let labels = pointer.name.labels
      guard isDocker, labels.count == 2, pointer.address.isPrivate else { return nil }
      // The text of one label has its escapes, so that it is safe to print.
      guard let name = try? DNSName(labels: labels.prefix(1)), let network = try? DNSName(labels: labels.suffix(1))
      else {
        return nil
      }
      return (name.text, network.text)
    }
  }

  /// The name, as it was given.
  let name: String
  let types: [DNSRecordType]
  /// What the hosts file has for it, of the types that were asked for.
  let hosts: [HostsFile.Entry]
  /// Whether the hosts file comes before the servers, as it does for a program that looks the name up.
  let hostsDecide: Bool
  let servers: [Server]
  /// What else there is to say: of the configuration.
  let remarks: [String]

  // MARK: - What it amounts to

  /// The server whose word counts: the first that settles it, else the one that says most of why none does.
  private var decisive: Server? {
    if let definite = servers.first(where: { $0.isDefinite }) { return definite }
    for code in ["DNS_SERVFAIL", "DNS_REFUSED", "DNS_TIMEOUT", "DNS_UNREACHABLE"] {
      if let server = servers.first(where: { $0.code == code }) { return server }
    }
    return servers.first
  }

  private var isSettledByHosts: Bool { hostsDecide && !hosts.isEmpty }

  /// The stable code.
  var code: String {
    let code = isSettledByHosts ? "OK" : decisive?.code ?? "SYSTEM_FAILURE"
    return code == "OK" && !disagreements.isEmpty ? "DNS_DISAGREE" : code
  }

  private var isFound: Bool { isSettledByHosts || decisive?.code == "OK" }

  private func mark(_ server: Server) -> Mark {
    if server.code == "SYSTEM_FAILURE" { return .unknown }
    if server.code == "OK" {
      let well = ["OK", "DNS_NO_ADDRESS"]
      return server.step?.replies.allSatisfy { well.contains($0.code) } ?? true ? .ok : .warning
    }
    guard isFound else { return .failure }
    return isSettledByHosts && server.isDefinite ? .note : .warning
  }

  /// The worst of all that is said.
  var worst: Mark {
    let marks = servers.map { mark($0) } + (warnings.isEmpty ? [] : [.warning])
    return marks.max() ?? .ok
  }

  /// What may be wrong though there is an answer: sentences without a full stop.
  var warnings: [String] { remarks + disagreements + repeats }

  private var disagreements: [String] {
    var texts: [String] = []
    let definite = servers.filter { $0.isDefinite }
    if let first = definite.first {
      for other in definite.dropFirst() where Self.differ(first, other) {
        texts.append(
          "\(first.text) and \(other.text) do not say the same: what a program gets depends on which one it asks")
      }
    }
    let given = (definite.first { $0.code == "OK" }?.step?.replies ?? []).flatMap { $0.addresses }
    let unknown = hosts.first { !given.contains($0.address) }
    if let unknown, !given.isEmpty, !types.contains(.ptr) {
      texts.append(
        "the hosts file says \(unknown.address.text), and the name servers do not: programs take the hosts file's word")
    }
    return texts
  }

  private static func differ(_ a: Server, _ b: Server) -> Bool {
    guard a.code == b.code else { return true }
    guard a.code == "OK", let one = a.step, let other = b.step else { return false }
    guard one.name == other.name else { return true }
    return zip(one.replies, other.replies).contains { left, right in
      left.isAnswered && right.isAnswered && Set(left.data.map { $0.data.text }) != Set(right.data.map { $0.data.text })
    }
  }

  private var repeats: [String] {
    var texts: [String] = []
    for server in servers {
      for reply in server.step?.replies ?? [] {
        let records = reply.data.map { $0.data.text }
        if let record = Self.firstRepeat(in: records) {
          texts.append("\(server.text) gives the same record more than once: \(reply.question.type.name) \(record)")
        }
      }
    }
    if let address = Self.firstRepeat(in: hosts.map { $0.address.text }), !types.contains(.ptr) {
      texts.append("the hosts file gives the same address more than once: \(address)")
    }
    return texts
  }

  private static func firstRepeat(in texts: [String]) -> String? {
    var seen: Set<String> = []
    return texts.first { !seen.insert($0).inserted }
  }

  /// Why the name is not found; nil where it is.
  var error: String? { isFound ? nil : decisive?.meaning ?? "no name server is known" }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    for entry in hosts {
      let names = entry.names.map { $0.safeForDisplay }.joined(separator: " ")
      output.line(hostsDecide ? .ok : .note, "hosts file, line \(entry.line)  \(entry.address.text)  \(names)")
    }
    for server in servers { write(server, to: &output) }
    for warning in warnings { output.line(.warning, warning) }
  }

  private func write(_ server: Server, to output: inout TextOutput) {
    guard let step = server.step else { return }
    let title = server.text + (server.isDocker ? " (Docker's resolver)" : "")
    let time = shownDuration(step.replies.map { $0.time }.max() ?? 0)
    output.line(mark(server), "\(title)  \(step.name.text): \(server.meaning); in \(time)")
    for other in server.steps where other.name != step.name {
      output.detail("searched, too: \(other.name.text): \(other.meaning)")
    }
    for reply in step.replies where step.code == "OK" || reply.meaning != step.meaning || !reply.records.isEmpty {
      for record in reply.records {
        let owner = record.data.type == .cname ? record.name.text + " is " : ""
        let type = record.data.type.name.padded(to: 6)
        output.detail(type + owner + record.data.text + "  TTL \(record.timeToLive)" + pointers(of: record, server))
      }
      if reply.data.isEmpty { output.detail(reply.question.type.name.padded(to: 6) + reply.meaning) }
      if reply.isOverTCP, reply.isAnswered { output.detail("      over TCP, as the answer is too long for UDP") }
    }
  }

  private func pointers(of record: DNSRecord, _ server: Server) -> String {
    guard case .address(let address) = record.data else { return "" }
    return server.pointers.filter { $0.address == address }.map { pointer in
      guard let container = server.container(pointer) else { return "  " + pointer.name.text }
      return "  \(pointer.name.text): container \(container.name), network \(container.network)"
    }.joined()
  }
}

extension IPAddress {
  /// Whether the address is one that networks use among themselves (RFC 1918, RFC 4193).
  fileprivate var isPrivate: Bool {
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].contains { isIn($0) }
  }

  private func isIn(_ prefix: String) -> Bool {
    let parts = prefix.split(onASCII: 0x2F)
    guard parts.count == 2, let network = IPAddress(parts[0]), let length = parseDecimal(parts[1].utf8) else {
      return false
    }
    return isIn(network, length: length)
  }
}
