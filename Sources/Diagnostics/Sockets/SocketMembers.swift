// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Netlink
internal import Sys

extension JSONWriter {
  /// Writes a socket as an object. All have the same members; what is not known, or is nothing of its kind, is null.
  mutating func socket(_ socket: ListedSocket, owner: SocketOwner?, interfaces: inout InterfaceNames) {
    beginObject()
    member("transport", socket.kind)
    member("state", socket.state?.name)
    switch socket {
    case .internet(_, let record):
      address("localAddress", record.localAddress)
      member("localPort", record.localPort)
      address("peerAddress", record.remoteAddress)
      member("peerPort", record.remotePort)
      member("interface", interfaces.name(record.interface)?.safeForDisplay)
      nulls("name", "peerInode")
      member("receiveQueue", record.receiveQueue)
      member("sendQueue", record.sendQueue)
      member("uid", record.userID)
      member("inode", record.inode)
      member("cookie", record.cookie == 0 ? nil : record.cookie)
      timer(record)
    case .unix(let record):
      nulls("localAddress", "localPort", "peerAddress", "peerPort", "interface")
      member("name", record.name.isEmpty ? nil : record.name.safeForDisplay)
      member("peerInode", record.peerInode)
      member("receiveQueue", record.receiveQueue)
      member("sendQueue", record.sendQueue)
      member("uid", record.userID)
      member("inode", record.inode)
      member("cookie", record.cookie == 0 ? nil : record.cookie)
      nulls("timer")
    }
    self.owner(owner)
    switch socket {
    case .internet(_, let record):
      memory(record.memory)
      member("congestionControl", record.congestionControl?.safeForDisplay)
      info(record.info)
    case .unix(let record):
      memory(record.memory)
      nulls("congestionControl", "info")
    }
    endObject()
  }

  private mutating func nulls(_ names: String...) {
    for name in names {
      key(name)
      null()
    }
  }

  private mutating func address(_ name: String, _ address: IPAddress) {
    key(name)
    string(address.text)
  }

  private mutating func timer(_ record: SocketRecord) {
    key("timer")
    guard record.timer != 0 else { return null() }
    beginObject()
    let isKnown = SocketColumns.timers.indices.contains(Int(record.timer))
    member("kind", isKnown ? SocketColumns.timers[Int(record.timer)] : String(record.timer))
    member("milliseconds", record.timerExpiry)
    member("retransmits", record.retransmits)
    endObject()
  }

  private mutating func owner(_ owner: SocketOwner?) {
    guard let owner else { return nulls("processes", "processUnknown") }
    key("processes")
    beginArray()
    switch owner {
    case .process(let holder): process(holder.processID, holder.command, isInferred: false)
    case .inferred(let id, let command): process(id, command, isInferred: true)
    case .unknown: break
    }
    endArray()
    if case .unknown(let why) = owner { member("processUnknown", why) } else { nulls("processUnknown") }
  }

  private mutating func process(_ id: Int32, _ command: String, isInferred: Bool) {
    beginObject()
    member("pid", id)
    member("command", command.safeForDisplay)
    member("inferred", isInferred)
    endObject()
  }

  private mutating func memory(_ memory: SocketMemory?) {
    key("memory")
    guard let memory else { return null() }
    beginObject()
    member("received", memory.received)
    member("receiveBuffer", memory.receiveBuffer)
    member("sent", memory.sent)
    member("sendBuffer", memory.sendBuffer)
    member("reserved", memory.reserved)
    member("queued", memory.queued)
    member("options", memory.options)
    member("backlog", memory.backlog)
    member("drops", memory.drops)
    endObject()
  }

  /// The kernel's own names; what this kernel does not tell is left out.
  private mutating func info(_ info: TCPInfo?) {
    key("info")
    guard let info else { return null() }
    beginObject()
    for (key, field) in infoKeys {
      guard let value = info.value(field) else { continue }
      // As in all documents, numbers beyond 63 bits stand for "no limit".
      member(key, min(value, UInt64(Int64.max)))
    }
    endObject()
  }
}

private let infoKeys = TCPInfo.fields.map { (JSONKey($0.name), $0) }
