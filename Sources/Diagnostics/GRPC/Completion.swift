// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import Protobuf
internal import Sys

/// `netdiag complete LINE`: what the shells' completions ask for the names that a command line may go on with, which
/// are those of the server, or of the schemas, that it has named so far. Whatever goes wrong, there are none.
enum Completion {
  /// How long a server may take: somebody waits with a finger on the key.
  private static let time: Int64 = 2_000_000_000

  /// The names, a line each.
  static func run(_ line: String, _ environment: @escaping (String) -> String?) -> String {
    // The last word is the one that is still being written.
    let words = words(of: line).dropLast()
    guard words.count > 2, let command = command(words[1] + " " + words[2]) else { return "" }
    let values = try? command.flags.parse(Array(words.dropFirst(3)))
    guard let values, let names = try? names(command.name, Invocation(flags: values, environment: environment)) else {
      return ""
    }
    // Shells expand what they are offered: whatever a server calls its services, they see letters, digits and dots.
    return names.filter { $0.utf8.allSatisfy { isNameByte($0) } }.map { $0 + "\n" }.joined()
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2E || byte == 0x2F || byte == 0x5F
  }

  private static func command(_ name: String) -> Netdiag.Command? {
    Netdiag.commands.first { $0.name == name && $0.completesOperands }
  }

  /// The words of a line as shells cut it, as far as that is told by spaces, quotes and backslashes.
  private static func words(of line: String) -> [String] {
    var words: [[UInt8]] = [[]]
    var quote: UInt8?
    var isEscaped = false
    for byte in line.utf8 {
      switch byte {
      case _ where isEscaped:
        words[words.count - 1].append(byte)
        isEscaped = false
      case 0x5C where quote != 0x27: isEscaped = true
      case quote: quote = nil
      case 0x22 where quote == nil, 0x27 where quote == nil: quote = byte
      case 0x20 where quote == nil: if words.last?.isEmpty == false { words.append([]) }
      default: words[words.count - 1].append(byte)
      }
    }
    return words.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func names(_ command: String, _ invocation: Invocation) throws(UsageError) -> [String] {
    var context = try GRPCContext(invocation)
    context.deadline = Deadline(nanoseconds: time).earlier(context.deadline)
    let waiter = try invocation.waiter(for: context.target)
    var names: [String] = []
    do throws(Problem) {
      try context.withSchemas(waiter) { (schemas, _) throws(Problem) in
        guard command != "grpc list" else { return names = try schemas.services() }
        let services = try schemas.poolOfServices().services
        let methods = services.flatMap { $0.methods }.map { $0.service.fullName + "/" + $0.name }
        names = command == "grpc describe" ? services.map { $0.fullName } + methods : methods
      }
    } catch { return [] }
    return names
  }
}
