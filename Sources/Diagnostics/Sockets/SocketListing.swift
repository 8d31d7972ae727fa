// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import Sys

/// Prints sockets as they come, so that a long list takes no more memory than a short one.
struct SocketListing {
  /// What is printed.
  enum Form {
    case json
    case text(hasHeading: Bool)
  }

  private let form: Form
  /// For the lines below the list.
  private let output: TextOutput
  private let columns: SocketColumns
  private var interfaces = InterfaceNames()
  private var json = JSONWriter()
  private var text: [UInt8] = []
  /// Whether somebody may still read; where nobody does, nothing more is written.
  private var isRead = true

  /// Where the owners are wanted: up to so many sockets are kept until all of them are known, so that the search for
  /// their owners can end with the last that is found; with more, all owners are looked for.
  private static let mostKept = 1_000
  private var kept: [ListedSocket]? = nil
  private var owners: SocketOwners?
  /// Why owners are unknown, each reason once.
  private var reasons: [String] = []
  private static let mostReasons = 10

  /// What is written at once.
  private static let chunk = 48 << 10

  /// A list with some columns.
  init(_ form: Form, _ columns: SocketColumns, _ output: TextOutput) {
    (self.form, self.columns, self.output) = (form, columns, output)
    if columns.processes { kept = [] }
  }

  /// Lists the sockets of a source, or counts them, and gives the exit code.
  mutating func run(_ source: inout SocketSource, isSummary: Bool) -> ExitCode {
    begin(isSummary: isSummary)
    var counts = SocketCounts()
    source.forEach { socket in
      if isSummary { counts.count(socket) } else { add(socket) }
    }
    if let kept {
      owners = SocketOwners(of: Set(kept.lazy.map { $0.inode }.filter { $0 != 0 }))
      for socket in kept { write(socket) }
    }
    end(source, isSummary ? counts : nil)
    return source.failure == nil ? .fine : .undetermined
  }

  private mutating func begin(isSummary: Bool) {
    switch form {
    case .json:
      json.beginObject()
      json.member("schema", 1)
      json.member("command", "sockets")
      json.key("sockets")
      json.beginArray()
    case .text(let hasHeading):
      if hasHeading, !isSummary { text += SocketColumns.heading.utf8 }
    }
  }

  private mutating func add(_ socket: ListedSocket) {
    guard kept != nil else { return write(socket) }
    kept?.append(socket)
    guard let all = kept, all.count > Self.mostKept else { return }
    kept = nil
    owners = .ofAll()
    for socket in all { write(socket) }
  }

  private mutating func write(_ socket: ListedSocket) {
    guard isRead else { return }
    let owner = owner(of: socket)
    switch form {
    case .json:
      json.socket(socket, owner: owner, interfaces: &interfaces)
      if json.bytes.count > Self.chunk { flush() }
    case .text:
      columns.append(socket, owner: owner, interfaces: &interfaces, to: &text)
      if text.count > Self.chunk { flush() }
    }
  }

  /// The owner where it is asked for. What no process holds any more has none.
  private mutating func owner(of socket: ListedSocket) -> SocketOwner? {
    guard let owners, socket.inode != 0 else { return nil }
    let owner = owners.owner(inode: socket.inode, userID: socket.userID)
    if case .unknown(let why) = owner, reasons.count < Self.mostReasons, !reasons.contains(why) { reasons.append(why) }
    return owner
  }

  private mutating func flush() {
    switch form {
    case .json: json.drain { if isRead { isRead = StandardStream.output.write($0) } }
    case .text:
      isRead = isRead && StandardStream.output.write(text)
      text.removeAll(keepingCapacity: true)
    }
  }

  private mutating func end(_ source: SocketSource, _ counts: SocketCounts?) {
    switch form {
    case .json:
      json.endArray()
      if let counts { counts.append(to: &json) } else { json.member("summary", nil as String?) }
      json.member("source", source.isFromTables ? "proc" : "netlink")
      json.member("remarks", source.remarks)
      json.member("ok", source.failure == nil)
      json.member("code", source.failure == nil ? "OK" : "UNDETERMINED")
      json.member("error", source.failure)
      json.endObject()
      flush()
      if isRead { _ = StandardStream.output.write([0x0A]) }
    case .text:
      flush()
      var output = output
      counts?.write(to: &output)
      for reason in reasons { output.line(.note, "process unknown: \(reason)") }
      for remark in source.remarks { output.line(.note, remark) }
      if let failure = source.failure { output.line(.unknown, failure) }
      if isRead { StandardStream.output.write(output.text) }
    }
  }
}
