// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Netlink

/// How many sockets of each kind there are in which state.
struct SocketCounts {
  private struct Group {
    let name: String
    var states = [Int](repeating: 0, count: 16)

    var total: Int { states.reduce(0, +) }
  }

  private var groups = ["tcp", "tcp6", "udp", "udp6", "unix"].map { Group(name: $0) }

  mutating func count(_ socket: ListedSocket) {
    let index: Int
    switch socket {
    case .internet(.tcp, let record): index = record.localAddress.isIPv6 ? 1 : 0
    case .internet(.udp, let record): index = record.localAddress.isIPv6 ? 3 : 2
    case .unix: index = 4
    }
    groups[index].states[Int(socket.state?.rawValue ?? 0)] += 1
  }

  private func counts(of group: Group) -> [(name: String, count: Int)] {
    var counts: [(name: String, count: Int)] = []
    for (number, count) in group.states.enumerated() where count > 0 {
      let name = TCPState(rawValue: UInt8(number))?.name ?? "UNKNOWN"
      // Two of the kernel's numbers have one name.
      if let index = counts.firstIndex(where: { $0.name == name }) {
        counts[index].count += count
      } else {
        counts.append((name, count))
      }
    }
    return counts
  }

  func write(to output: inout TextOutput) {
    for group in groups {
      let counts = counts(of: group).map { "\($0.count) \($0.name)" }.joined(separator: ", ")
      output.plain("\(group.name.padded(to: 6))\(group.total)" + (counts.isEmpty ? "" : ": " + counts))
    }
  }

  func append(to json: inout JSONWriter) {
    json.members("summary", groups) { group, json in
      json.member("transport", group.name)
      json.member("total", group.total)
      json.members("states", counts(of: group)) { state, json in
        json.member("state", state.name)
        json.member("count", state.count)
      }
    }
  }
}
