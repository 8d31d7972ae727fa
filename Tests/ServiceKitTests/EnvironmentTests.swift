// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Testing

@testable import ServiceKit

@Suite struct EnvironmentTests {
  static let flags = [
    EnvironmentFlag("max-message-size"), EnvironmentFlag("listen", .list), EnvironmentFlag("plaintext", .onOff),
    EnvironmentFlag("reflection", .offOn),
  ]

  func merge(_ arguments: [String], _ environment: [String: String]) throws -> [String] {
    try EnvironmentFlags.merge(arguments, flags: Self.flags) { environment[$0] }
  }

  @Test("a variable stands for its flag, and the command line wins")
  func precedence() throws {
    #expect(EnvironmentFlag("max-message-size").variable == "SONDE_MAX_MESSAGE_SIZE")
    #expect(try merge(["x"], ["SONDE_MAX_MESSAGE_SIZE": "1MiB"]) == ["--max-message-size", "1MiB", "x"])
    for given in [["--max-message-size", "2"], ["--max-message-size=2"]] {
      #expect(try merge(given, ["SONDE_MAX_MESSAGE_SIZE": "1MiB"]) == given)
    }
    #expect(try merge([], ["SONDE_MAX_MESSAGE_SIZE": "", "SONDE_PORT": "tcp://10.0.0.1:80"]) == [])
  }

  @Test("a list has commas, and a switch takes true or false")
  func kinds() throws {
    #expect(try merge([], ["SONDE_LISTEN": ":1, unix:/x"]) == ["--listen", ":1", "--listen", "unix:/x"])
    #expect(try merge([], ["SONDE_PLAINTEXT": "TRUE"]) == ["--plaintext"])
    #expect(try merge([], ["SONDE_PLAINTEXT": "0"]) == [])
    #expect(try merge(["--no-plaintext"], ["SONDE_PLAINTEXT": "1"]) == ["--no-plaintext"])
    #expect(try merge([], ["SONDE_REFLECTION": "false"]) == ["--no-reflection"])
    #expect(try merge([], ["SONDE_REFLECTION": "yes"]) == ["--reflection"])
    #expect(try merge(["--no-reflection"], ["SONDE_REFLECTION": "yes"]) == ["--no-reflection"])
    let error = #expect(throws: ConfigurationError.self) { try merge([], ["SONDE_PLAINTEXT": "maybe"]) }
    #expect(error?.description == "SONDE_PLAINTEXT is \"maybe\"; it takes true or false")
  }

  @Test(
    "addresses are read as people write them",
    arguments: [
      ("127.0.0.1:50051", "127.0.0.1:50051"), ("[::1]:0", "[::1]:0"), (":50051", "[::]:50051"),
      ("localhost:65535", "localhost:65535"), ("unix:/run/a.sock", "unix:/run/a.sock"),
      ("unix:///run/a.sock", "unix:/run/a.sock"), ("::1:50051", nil), ("host", nil), ("host:65536", nil),
      ("host:", nil), ("unix:", nil), ("host:+1", nil),
    ] as [(String, String?)])
  func addresses(text: String, meaning: String?) {
    #expect(AddressArgument(argument: text)?.description == meaning)
  }

  @Test(
    "sizes are read with their units, within bounds",
    arguments: [
      ("0", 0), ("65536", 65_536), ("64KiB", 65_536), ("4MiB", 4 << 20), ("1GiB", 1 << 30), ("2GiB", nil),
      ("4 MiB", nil), ("-1", nil), ("MiB", nil), ("99999999999999999999", nil),
    ] as [(String, Int?)])
  func sizes(text: String, bytes: Int?) { #expect(SizeArgument(argument: text)?.bytes == bytes) }

  @Test("what cannot work is refused, and says what to do")
  func validation() {
    func refusal(_ arguments: String...) -> String? {
      do {
        _ = try ServerOptions.parse(arguments)
        return nil
      } catch { return ServerOptions.message(for: error) }
    }
    #expect(refusal() == nil)
    #expect(refusal("--tls-cert", "a")?.contains("go together") == true)
    #expect(refusal("--listen", ":50051")?.contains("--plaintext") == true)
    #expect(refusal("--listen", ":50051", "--plaintext") == nil)
    #expect(refusal("--listen", "127.0.0.2:1", "--listen", "unix:/x") == nil)
    #expect(refusal("--max-calls", "0")?.contains("at least 1") == true)
    #expect(refusal("--shutdown-grace", "-1s") != nil)
  }

  @Test("every flag can come from the environment")
  func complete() throws {
    let help = ServerOptions.helpMessage(columns: 400)
    let names = Set(help.matches(of: /--(?:no-)?([a-z][a-z-]*)/).map { String($0.1) }).subtracting(["help"])
    #expect(names.isSubset(of: ServerOptions.environmentFlags.map(\.name) + ["off"]))
    #expect(Set(ServerOptions.environmentFlags.map(\.name)).isSubset(of: names))
  }
}
