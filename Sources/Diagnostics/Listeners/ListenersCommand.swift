// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import Sys

/// `netdiag listeners [PORT…]`.
let listenersCommand = Netdiag.Command(
  "listeners", summary: "tells whether ports are listened on, on which addresses, and by whom", operands: "[PORT…]",
  groups: [], readsTables: true
) { (invocation) throws(UsageError) in
  var ports: [UInt16] = []
  for word in invocation.flags.operands {
    // As people have it at hand, `:50051` is fine too.
    let digits = word.utf8.first == 0x3A ? word.utf8.dropFirst() : Substring(word).utf8
    guard let number = parseDecimal(digits, atMost: 65_535), number > 0 else {
      throw UsageError(line: "\(word.quoted) is no port from 1 to 65535")
    }
    ports.append(UInt16(number))
  }
  let table = ListenerTable(in: invocation.place)
  let shown = ports.isEmpty ? table.listeners : table.listeners.filter { ports.contains($0.port) }
  // Those of near ports are asked for their owners too, as there are few.
  let inodes = Set((shown.isEmpty ? table.listeners : shown).map { $0.inode })
  let report = ListenersReport(asked: ports, table: table, owners: SocketOwners(of: inodes))
  return invocation.finish(report)
}
