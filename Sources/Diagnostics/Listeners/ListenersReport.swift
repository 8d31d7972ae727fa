// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Sys

/// What `netdiag listeners` has found: who listens on the ports that were asked for, or on all.
struct ListenersReport: Report {
  static let command = "listeners"

  /// What is said of a port.
  enum Code: String {
    case ok = "OK"
    case notListening = "NOT_LISTENING"
    case localhostOnly = "LOCALHOST_ONLY"
    case acceptQueueFull = "ACCEPT_QUEUE_FULL"

    var mark: Mark {
      switch self {
      case .ok: .ok
      case .localhostOnly: .warning
      case .notListening, .acceptQueueFull: .failure
      }
    }
  }

  /// A port and those who listen on it.
  struct Port {
    let number: UInt16
    let listeners: [Listener]
    /// Ports that may have been meant.
    let near: [Listener]

    var code: Code {
      if listeners.isEmpty { return .notListening }
      if listeners.contains(where: { $0.isFull }) { return .acceptQueueFull }
      return listeners.allSatisfy { $0.address.isLoopback } ? .localhostOnly : .ok
    }

    var families: Families { listeners.reduce([]) { $0.union($1.families) } }
  }

  /// The ports in the order in which they were asked for; all that are listened on where none was.
  let ports: [Port]
  /// Whether ports were asked for: only then is one that nobody else reaches worth a warning.
  let isAsked: Bool
  private let table: ListenerTable
  private let owners: SocketOwners

  /// A report of what was found.
  init(asked: [UInt16], table: ListenerTable, owners: SocketOwners) {
    self.table = table
    self.owners = owners
    isAsked = !asked.isEmpty
    let byPort = Dictionary(grouping: table.listeners) { $0.port }
    let numbers = isAsked ? asked : table.listeners.map { $0.port }.withoutRepeats
    ports = numbers.map { number in
      let own = byPort[number] ?? []
      return Port(number: number, listeners: own, near: own.isEmpty ? Self.near(number, table.listeners) : [])
    }
  }

  /// The worst that is said of any port.
  var worst: Mark {
    if table.failure != nil { return .unknown }
    let worst = ports.map { $0.code.mark }.max() ?? .ok
    return isAsked || worst == .failure ? worst : .ok
  }

  /// The code of the worst port; `UNDETERMINED` where nothing can be known.
  var code: String {
    if table.failure != nil { return "UNDETERMINED" }
    let worst = worst
    return ports.first { $0.code.mark == worst }?.code.rawValue ?? Code.ok.rawValue
  }

  /// Listeners whose port may have been meant: its neighbours, the same digits in another order, one digit more, less
  /// or another; where only a few listen at all, these.
  static func near(_ port: UInt16, _ listeners: [Listener]) -> [Listener] {
    let others = listeners.filter { !$0.isDockerResolver }
    let near = others.filter { listener in
      let distance = Int(listener.port) - Int(port)
      return abs(distance) <= 10 || isMistyped(String(listener.port), String(port))
    }
    return near.isEmpty && others.count <= 3 ? others : near
  }

  private static func isMistyped(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    if a.count == b.count {
      return a.sorted() == b.sorted() || zip(a, b).filter { $0 != $1 }.count == 1
    }
    let (long, short) = a.count > b.count ? (a, b) : (b, a)
    guard long.count == short.count + 1 else { return false }
    return long.indices.contains { index in Array(long[..<index] + long[(index + 1)...]) == short }
  }

  var error: String? { table.failure }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    if let failure = table.failure {
      output.line(.unknown, failure)
      return
    }
    if let failure = table.netlinkFailure {
      output.line(
        .note, "the kernel does not tell its sockets (\(failure)): read from \(table.tables), without queue limits")
    }
    if ports.isEmpty { output.line(.ok, "nothing listens on any TCP port") }
    for port in ports { write(port, to: &output) }
    if let overflows = table.overflows, overflows > 0 {
      let connections = overflows == 1 ? "1 connection was" : "\(overflows) connections were"
      output.line(.note, "\(connections) dropped since the start because a queue was full (ListenOverflows)")
    }
  }

  private func write(_ port: Port, to output: inout TextOutput) {
    guard !port.listeners.isEmpty else {
      output.line(.failure, "\(port.number)  nothing listens on it")
      for listener in port.near {
        output.detail("near: \(listener.address.text(port: listener.port))  \(ownerText(listener))")
      }
      return
    }
    let mark: Mark = isAsked || port.code.mark == .failure ? port.code.mark : .ok
    for listener in port.listeners {
      output.line(listener.isFull ? .failure : mark, text(of: listener))
      if listener.isFull {
        output.detail("more connections wait than may: the server does not accept, and further ones get no answer")
      }
    }
    if port.code == .localhostOnly, isAsked, !port.listeners.allSatisfy({ $0.isDockerResolver }) {
      output.detail("only from inside of this machine or container; others are refused: listen on 0.0.0.0 or [::]")
    }
  }

  private func text(of listener: Listener) -> String {
    var text = listener.address.text(port: listener.port)
    if listener.isDockerResolver {
      text += " (Docker's name server, no service of yours)"
    } else if listener.address.isLoopback {
      text += " (localhost only)"
    } else if listener.address.isAny {
      text += " (\(listener.families.text))"
    }
    text += "  " + ownerText(listener)
    if let limit = listener.limit { text += "  queue \(listener.queued) of \(limit)" }
    return text
  }

  private func ownerText(_ listener: Listener) -> String { owner(of: listener).text }

  private func owner(of listener: Listener) -> SocketOwner {
    owners.owner(inode: listener.inode, userID: listener.userID)
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    json.member("source", table.netlinkFailure == nil ? "netlink" : "proc")
    json.members("ports", ports) { port, json in
      json.member("port", port.number)
      json.member("code", port.code.rawValue)
      json.member("ipv4", port.families.contains(.ipv4))
      json.member("ipv6", port.families.contains(.ipv6))
      json.members("listeners", port.listeners, append)
      json.key("near")
      json.beginArray()
      for listener in port.near { json.integer(Int64(listener.port)) }
      json.endArray()
    }
    json.member("listenOverflows", table.overflows)
  }

  private func append(_ listener: Listener, to json: inout JSONWriter) {
    json.member("address", listener.address.text)
    json.member("queued", listener.queued)
    json.member("limit", listener.limit)
    json.member("uid", listener.userID)
    json.member("inode", listener.inode)
    var (processes, isInferred, reason): ([(Int32, String)], Bool, String?) = ([], false, nil)
    switch owner(of: listener) {
    case .process(let holder): processes = [(holder.processID, holder.command)]
    case .inferred(let id, let command): (processes, isInferred) = ([(id, command)], true)
    case .unknown(let why): reason = why
    }
    json.members("processes", processes) { process, json in
      json.member("pid", process.0)
      json.member("command", process.1.safeForDisplay)
      json.member("inferred", isInferred)
    }
    json.member("processUnknown", reason)
  }
}

extension [UInt16] {
  /// The numbers without those that came before.
  fileprivate var withoutRepeats: [UInt16] {
    var seen: Set<UInt16> = []
    return filter { seen.insert($0).inserted }
  }
}
