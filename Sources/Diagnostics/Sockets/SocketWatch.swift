// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Netlink
internal import Sys

/// Tells what became of sockets from one look to the next.
struct SocketWatch {
  /// What became of a socket.
  enum Event: Equatable {
    case opened
    case closed
    case changed(from: TCPState?)

    var word: String {
      switch self {
      case .opened: "opened"
      case .closed: "closed"
      case .changed: "changed"
      }
    }
  }

  private let columns: SocketColumns
  private let isJSON: Bool
  private let interval: Int64
  private let output: TextOutput
  private var interfaces = InterfaceNames()

  /// A watch with a time between two looks, in nanoseconds.
  init(_ columns: SocketColumns, isJSON: Bool, interval: Int64, _ output: TextOutput) {
    (self.columns, self.isJSON, self.interval, self.output) = (columns, isJSON, interval, output)
  }

  /// Watches until a signal comes or nobody reads any more.
  mutating func run(_ source: inout SocketSource) -> ExitCode {
    do throws(SystemError) { return try watch(&source) } catch {
      _ = tell("failed", error: "\(error.operation): \(error.text)")
      return .undetermined
    }
  }

  private mutating func watch(_ source: inout SocketSource) throws(SystemError) -> ExitCode {
    let signals = try Signals()
    var sockets = WatchedSockets()
    var isFirst = true
    while true {
      let start = Instant.now
      var events: [(Event, ListedSocket)] = []
      sockets.beginLook()
      source.forEach { socket in
        if let event = sockets.see(socket) { events.append((event, socket)) }
      }
      events += sockets.endLook().map { (.closed, $0) }
      if let failure = source.failure {
        _ = tell("failed", error: failure)
        return .undetermined
      }
      if isFirst {
        guard begin(source, count: events.count) else { return .fine }
      } else {
        guard tell(events) else { return .fine }
      }
      isFirst = false
      var poll = Poll()
      poll.add(signals)
      poll.addEnd(of: .output)
      if try poll.wait(until: Deadline(nanoseconds: interval, after: start)) { return .fine }
    }
  }

  // MARK: - Output

  /// Says what is watched; whether anybody reads it.
  private mutating func begin(_ source: SocketSource, count: Int) -> Bool {
    guard !isJSON else { return tell("watching", error: nil) }
    var output = output
    for remark in source.remarks { output.line(.note, remark) }
    output.line(.note, "watching \(count) sockets")
    return StandardStream.output.write(Array(output.text.utf8))
  }

  private mutating func tell(_ word: String, error: String?) -> Bool {
    guard isJSON else {
      var output = output
      if let error { output.line(.unknown, error) }
      return StandardStream.output.write(Array(output.text.utf8))
    }
    var json = JSONWriter()
    begin(&json, word, from: nil, error: error)
    json.member("socket", nil as String?)
    json.endObject()
    return StandardStream.output.write(json.bytes + [0x0A])
  }

  private mutating func tell(_ events: [(Event, ListedSocket)]) -> Bool {
    guard !events.isEmpty else { return true }
    let owners = columns.processes ? SocketOwners(of: Set(events.map { $0.1.inode }.filter { $0 != 0 })) : nil
    let clock = Array(CivilTime(secondsSince1970()).isoText.utf8)
    for (event, socket) in events {
      var owner: SocketOwner?
      // Of a closed socket nobody is the owner any more.
      if event != .closed, socket.inode != 0 { owner = owners?.owner(inode: socket.inode, userID: socket.userID) }
      var previous: TCPState?
      if case .changed(let from) = event { previous = from }
      var line: [UInt8] = []
      if isJSON {
        var json = JSONWriter()
        begin(&json, event.word, from: previous, error: nil)
        json.key("socket")
        json.socket(socket, owner: owner, interfaces: &interfaces)
        json.endObject()
        line = json.bytes + [0x0A]
      } else {
        line = clock + Array((" " + event.word.padded(to: 8)).utf8)
        columns.append(socket, owner: owner, interfaces: &interfaces, to: &line)
        if let previous {
          line.removeLast()
          line += "  was \(previous.name)\n".utf8
        }
      }
      guard StandardStream.output.write(line) else { return false }
    }
    return true
  }

  private func begin(_ json: inout JSONWriter, _ word: String, from previous: TCPState?, error: String?) {
    json.beginObject()
    json.member("schema", 1)
    json.member("command", "sockets")
    json.member("time", CivilTime(secondsSince1970()).isoText)
    json.member("event", word)
    json.member("from", previous?.name)
    json.member("ok", error == nil)
    json.member("code", error == nil ? "OK" : "UNDETERMINED")
    json.member("error", error)
  }
}

/// The sockets of one look beside those of the look before.
struct WatchedSockets {
  /// What makes a socket the same one: a connection its addresses, as what is left of it in TIME-WAIT is another record
  /// of the kernel's; any other socket its cookie, as several may listen at one address.
  private struct Key: Hashable {
    var transport: UInt8
    var cookie: UInt64 = 0
    var local = IPAddress.anyIPv4
    var remote = IPAddress.anyIPv4
    var ports: UInt32 = 0
    var interface: UInt32 = 0
  }

  private struct Entry {
    var socket: ListedSocket
    var look: UInt64
  }

  private var entries: [Key: Entry] = [:]
  private var look: UInt64 = 0

  mutating func beginLook() { look += 1 }

  /// Takes note of a socket; what became of it since the last look, nil where nothing did.
  mutating func see(_ socket: ListedSocket) -> SocketWatch.Event? {
    let key = Self.key(of: socket)
    let last = entries.updateValue(Entry(socket: socket, look: look), forKey: key)?.socket
    guard let last else { return .opened }
    return last.state == socket.state ? nil : .changed(from: last.state)
  }

  /// The sockets that are gone, and are forgotten with this.
  mutating func endLook() -> [ListedSocket] {
    let look = look
    let gone = entries.filter { $0.value.look != look }
    for key in gone.keys { entries[key] = nil }
    return gone.values.map { $0.socket }
  }

  private static func key(of socket: ListedSocket) -> Key {
    switch socket {
    case .unix(let record): return Key(transport: 1, cookie: record.cookie == 0 ? UInt64(record.inode) : record.cookie)
    case .internet(let transport, let record):
      var key = Key(transport: transport.rawValue)
      if transport == .udp || record.remotePort == 0 {
        key.cookie = record.cookie == 0 ? UInt64(record.inode) : record.cookie
      }
      (key.local, key.remote, key.interface) = (record.localAddress, record.remoteAddress, record.interface)
      key.ports = UInt32(record.localPort) << 16 | UInt32(record.remotePort)
      return key
    }
  }
}
