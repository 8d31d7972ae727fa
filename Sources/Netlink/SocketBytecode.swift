// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// The program that the kernel runs over each socket (INET_DIAG_REQ_BYTECODE of linux/inet_diag.h):
//
//     code u8 | yes u8 | no u16 | what is compared …
//
// An instruction goes on `yes` bytes further where it holds, and `no` bytes further where it does not. The kernel takes
// a program only if each `yes` leads to the next instruction, and each `no` forward to another one, to the end, which
// accepts the socket, or four bytes beyond it, which refuses it.

extension SocketCondition {
  /// The program in the machine's own order of bytes, as the kernel takes it.
  public var bytecode: [UInt8] {
    var program = SocketProgram()
    program.append(self, isNegated: false, otherwise: SocketProgram.refusal)
    return program.assembled
  }
}

/// Instructions whose jumps lead to labels.
private struct SocketProgram {
  private enum Code {
    static let jump: UInt8 = 1
    static let sourceAtLeast: UInt8 = 2
    static let sourceAtMost: UInt8 = 3
    static let destinationAtLeast: UInt8 = 4
    static let destinationAtMost: UInt8 = 5
    static let sourceHost: UInt8 = 7
    static let destinationHost: UInt8 = 8
    static let interface: UInt8 = 9
    static let sourceEqual: UInt8 = 11
    static let destinationEqual: UInt8 = 12
  }

  private struct Instruction {
    let code: UInt8
    let operand: [UInt8]
    /// Where to go on when it does not hold.
    let label: Int
  }

  /// The label beyond the end.
  static let refusal = 0

  private var instructions: [Instruction] = []
  /// Before which instruction each label stands.
  private var labels = [0]

  /// Appends what goes on behind itself where the condition holds, or with `isNegated` does not hold, and at a label
  /// otherwise.
  mutating func append(_ condition: SocketCondition, isNegated: Bool, otherwise label: Int) {
    switch condition {
    case .not(let condition): append(condition, isNegated: !isNegated, otherwise: label)
    case .all(let conditions):
      if isNegated { appendAny(conditions, isNegated, label) } else { appendAll(conditions, isNegated, label) }
    case .any(let conditions):
      if isNegated { appendAll(conditions, isNegated, label) } else { appendAny(conditions, isNegated, label) }
    case .port(let end, let comparison, let port):
      let isSource = end == .source
      let code: UInt8 =
        switch comparison {
        case .equal: isSource ? Code.sourceEqual : Code.destinationEqual
        case .atLeast: isSource ? Code.sourceAtLeast : Code.destinationAtLeast
        case .atMost: isSource ? Code.sourceAtMost : Code.destinationAtMost
        }
      // The number stands where another instruction would have its `no`.
      var operand: [UInt8] = [0, 0]
      operand.append(native: port)
      append(code, operand, isNegated, label)
    case .host(let end, let pattern):
      append(end == .source ? Code.sourceHost : Code.destinationHost, Self.operand(pattern), isNegated, label)
    case .interface(let number):
      var operand: [UInt8] = []
      operand.append(native: number)
      append(Code.interface, operand, isNegated, label)
    }
  }

  private mutating func appendAll(_ conditions: [SocketCondition], _ isNegated: Bool, _ label: Int) {
    for condition in conditions { append(condition, isNegated: isNegated, otherwise: label) }
  }

  private mutating func appendAny(_ conditions: [SocketCondition], _ isNegated: Bool, _ label: Int) {
    let end = newLabel()
    for (index, condition) in conditions.enumerated() {
      if index == conditions.count - 1 {
        append(condition, isNegated: isNegated, otherwise: label)
      } else {
        let next = newLabel()
        append(condition, isNegated: isNegated, otherwise: next)
        instructions.append(Instruction(code: Code.jump, operand: [], label: end))
        labels[next] = instructions.count
      }
    }
    labels[end] = instructions.count
  }

  private mutating func append(_ code: UInt8, _ operand: [UInt8], _ isNegated: Bool, _ label: Int) {
    guard isNegated else { return instructions.append(Instruction(code: code, operand: operand, label: label)) }
    let next = newLabel()
    instructions.append(Instruction(code: code, operand: operand, label: next))
    instructions.append(Instruction(code: Code.jump, operand: [], label: label))
    labels[next] = instructions.count
  }

  private mutating func newLabel() -> Int {
    labels.append(0)
    return labels.count - 1
  }

  /// `inet_diag_hostcond`: family, bits, two bytes of padding, the port or -1, the address.
  private static func operand(_ pattern: HostPattern) -> [UInt8] {
    let family = pattern.address.map { $0.isIPv6 ? familyIPv6 : familyIPv4 } ?? 0
    var bytes = [UInt8(family), UInt8(pattern.length), 0, 0]
    bytes.append(native: pattern.port.map { Int32($0) } ?? -1)
    return bytes + (pattern.address?.bytes ?? [])
  }

  /// The program's bytes, every label turned into a distance.
  var assembled: [UInt8] {
    var offsets = [0]
    for instruction in instructions { offsets.append(offsets[offsets.count - 1] + 4 + instruction.operand.count) }
    let end = offsets[instructions.count]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(end)
    for (index, instruction) in instructions.enumerated() {
      let target = instruction.label == Self.refusal ? end + 4 : offsets[labels[instruction.label]]
      bytes.append(instruction.code)
      bytes.append(UInt8(4 + instruction.operand.count))
      bytes.append(native: UInt16(target - offsets[index]))
      bytes += instruction.operand
    }
    return bytes
  }
}
