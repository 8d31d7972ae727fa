// SPDX-License-Identifier: Apache-2.0

import Bytes

@testable import Netlink

/// The kernel's side of filters: what it takes as a program, and what a program says of a socket. Written from the
/// meaning of the instructions, so that it shares nothing with the compiler.
struct KernelFilter {
  private struct Instruction {
    let code: UInt8
    let yes: Int
    let no: Int
    let operand: [UInt8]
  }

  private var instructions: [Int: Instruction] = [:]
  private let count: Int

  /// Takes a program as the kernel does; nil where it would refuse it.
  init?(_ program: [UInt8]) {
    count = program.count
    guard count >= 4, count <= 65_531 else { return nil }
    var offset = 0
    while offset < count {
      guard count - offset >= 4 else { return nil }
      let (code, yes) = (program[offset], Int(program[offset + 1]))
      let no = Int(program.span.uint16(at: offset + 2))
      let least: Int
      switch code {
      case 1: least = 4
      case 2, 3, 4, 5, 11, 12, 9: least = 8
      case 7, 8:
        guard count - offset >= 12, let size = [0: 0, 2: 4, 10: 16][program[offset + 4]] else { return nil }
        guard Int(program[offset + 5]) <= 8 * size else { return nil }
        least = 12 + size
      default: return nil
      }
      guard count - offset >= least, yes == least, no >= least, no % 4 == 0 else { return nil }
      guard no <= count - offset + 4 else { return nil }
      instructions[offset] = Instruction(
        code: code, yes: yes, no: no, operand: Array(program[(offset + 4)..<(offset + least)]))
      offset += yes
    }
    guard offset == count else { return nil }
    for (offset, instruction) in instructions {
      let target = offset + instruction.no
      guard target == count || target == count + 4 || instructions[target] != nil else { return nil }
    }
  }

  func accepts(_ socket: SocketRecord) -> Bool {
    var offset = 0
    while offset < count {
      guard let instruction = instructions[offset] else { return false }
      offset += holds(instruction, for: socket) ? instruction.yes : instruction.no
    }
    return offset == count
  }

  private func holds(_ instruction: Instruction, for socket: SocketRecord) -> Bool {
    let operand = instruction.operand
    let (local, remote) = (socket.localPort, socket.remotePort)
    switch instruction.code {
    case 1: return false
    case 2: return local >= operand.span.uint16(at: 2)
    case 3: return local <= operand.span.uint16(at: 2)
    case 4: return remote >= operand.span.uint16(at: 2)
    case 5: return remote <= operand.span.uint16(at: 2)
    case 11: return local == operand.span.uint16(at: 2)
    case 12: return remote == operand.span.uint16(at: 2)
    case 9: return socket.interface == operand.span.uint32(at: 0)
    default: break
    }
    let isSource = instruction.code == 7
    let address = isSource ? socket.localAddress : socket.remoteAddress
    let port = Int32(bitPattern: operand.span.uint32(at: 4))
    guard port == -1 || port == Int32(isSource ? local : remote) else { return false }
    let (family, length, pattern) = (operand[0], Int(operand[1]), Array(operand[8...]))
    var bytes = address.bytes
    switch (family, address.isIPv6) {
    case (0, _), (2, false), (10, true): break
    case (2, true):
      // An IPv4 peer of a socket that takes both.
      guard bytes[..<12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] else { return false }
      bytes = Array(bytes[12...])
    default: return false
    }
    func bit(_ index: Int, of bytes: [UInt8]) -> UInt8 { bytes[index / 8] >> UInt8(7 - index % 8) & 1 }
    return (0..<length).allSatisfy { bit($0, of: bytes) == bit($0, of: pattern) }
  }
}
