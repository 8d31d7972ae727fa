// SPDX-License-Identifier: Apache-2.0

import Flags
import Testing

let table = FlagTable(
  tool: "tool", summary: "Does things", environmentPrefix: "TOOL_",
  groups: [
    FlagGroup(
      "Main",
      [
        Flag("addr", .string, "ADDRESS", summary: "Where to"),
        Flag("connect-timeout", .duration, "DURATION", default: "1s", summary: "How long"),
        Flag("tls", .bool, summary: "Encrypt"),
        Flag("rpc-header", .list, "HEADER", summary: "What to add"),
        Flag("days", .integer(1...100), "N", summary: "How many"),
        Flag("output", .choice(["text", "json"]), "FORMAT", default: "text", summary: "How to print"),
        Flag("version", .bool, summary: "Print the version", hasEnvironment: false),
      ])
  ], required: "-addr=ADDRESS")

func parse(_ arguments: String..., environment: [String: String] = [:]) throws(FlagError) -> FlagValues {
  try table.parse(arguments, environment: { environment[$0] }) { flag, value in
    flag == "rpc-header" && !value.contains(":") ? "no colon" : nil
  }
}

func refusal(_ arguments: String..., environment: [String: String] = [:]) -> FlagError? {
  do throws(FlagError) {
    _ = try table.parse(arguments, environment: { environment[$0] }) { flag, value in
      flag == "rpc-header" && !value.contains(":") ? "no colon" : nil
    }
    return nil
  } catch { return error }
}

@Suite struct FlagParserTests {
  @Test("one dash and two, `=` and the next word are all the same")
  func forms() throws {
    for values in [
      try parse("-addr", "a"), try parse("-addr=a"), try parse("--addr", "a"), try parse("--addr=a"),
      try parse("-addr=b", "-addr=a"),
    ] {
      #expect(values.string("addr") == "a")
    }
    #expect(try parse("-addr", "-tls").string("addr") == "-tls")
    #expect(try parse("-addr=a=b").string("addr") == "a=b")
    #expect(try parse("-addr=").string("addr") == "")
    #expect(try parse("-addr=").isGiven("addr"))
  }

  @Test("booleans stand alone or take `=` and one of twelve words; a word of their own ends the reading")
  func booleans() throws {
    for word in ["1", "t", "T", "TRUE", "true", "True"] { #expect(try parse("-tls=\(word)").bool("tls")) }
    for word in ["0", "f", "F", "FALSE", "false", "False"] { #expect(try !parse("-tls", "-tls=\(word)").bool("tls")) }
    let values = try parse("-tls", "false", "-addr=a")
    #expect(values.bool("tls"))
    #expect(values.string("addr") == "")
  }

  @Test("reading stops at the first word that is no flag", arguments: ["junk", "-", "--", ""])
  func stops(word: String) throws {
    let values = try parse("-addr=a", word, "-addr=b", "-nosuch")
    #expect(values.string("addr") == "a")
  }

  @Test("lists keep every value in order")
  func lists() throws {
    #expect(try parse("-rpc-header=a:1", "-rpc-header", "b:2").list("rpc-header") == ["a:1", "b:2"])
    #expect(try parse().list("rpc-header") == [])
  }

  @Test(
    "each mistake has its line",
    arguments: [
      (["-foo"], "flag provided but not defined: -foo"), (["-foo=1"], "flag provided but not defined: -foo"),
      (["-addr"], "flag needs an argument: -addr"),
      (["-connect-timeout=abc"], "invalid value \"abc\" for flag -connect-timeout: parse error"),
      (["-connect-timeout", "5"], "invalid value \"5\" for flag -connect-timeout: parse error"),
      (["-tls=maybe"], "invalid boolean value \"maybe\" for -tls: parse error"),
      (["---addr=x"], "bad flag syntax: ---addr=x"), (["-=x"], "bad flag syntax: -=x"),
      (["--=x"], "bad flag syntax: --=x"),
      (["-rpc-header", "foo"], "invalid value \"foo\" for flag -rpc-header: no colon"),
      (["-days=0"], "invalid value \"0\" for flag -days: must be from 1 to 100"),
      (["-days=x"], "invalid value \"x\" for flag -days: parse error"),
      (["-output=xml"], "invalid value \"xml\" for flag -output: must be one of text, json"),
      (["-\u{1B}[31m"], "flag provided but not defined: -\\x1b[31m"),
    ])
  func mistakes(arguments: [String], line: String) {
    var outcome: FlagError?
    do throws(FlagError) {
      _ = try table.parse(arguments) { _ in
        nil
      } checks: { flag, value in
        flag == "rpc-header" && !value.contains(":") ? "no colon" : nil
      }
    } catch { outcome = error }
    #expect(outcome == .message(line))
  }

  @Test("-h and -help ask for help, before a later mistake and after an earlier one")
  func help() {
    #expect(refusal("-h", "-foo") == .helpRequested)
    #expect(refusal("--help") == .helpRequested)
    #expect(refusal("-foo", "-h") == .message("flag provided but not defined: -foo"))
  }

  @Test("the flag wins over the environment, the environment over the default, and empty means unset")
  func environment() throws {
    let variables = ["TOOL_ADDR": "env", "TOOL_CONNECT_TIMEOUT": "2s", "TOOL_TLS": "true", "TOOL_OUTPUT": ""]
    let values = try parse("-addr=flag", environment: variables)
    #expect(values.string("addr") == "flag")
    #expect(values.duration("connect-timeout") == 2_000_000_000)
    #expect(values.bool("tls"))
    #expect(values.string("output") == "text")
    #expect(try parse("-tls=false", environment: variables).bool("tls") == false)
    #expect(try parse().duration("connect-timeout") == 1_000_000_000)
    #expect(try parse(environment: ["TOOL_VERSION": "v1.2.3"]).bool("version") == false)
  }

  @Test("a variable of a list holds one value a line, and a mistake names the variable")
  func environmentDetails() throws {
    #expect(try parse(environment: ["TOOL_RPC_HEADER": "a: 1\nb: 2\n"]).list("rpc-header") == ["a: 1", "b: 2"])
    #expect(
      refusal(environment: ["TOOL_RPC_HEADER": "a: 1\nb"])
        == .message("invalid value \"b\" for environment variable TOOL_RPC_HEADER: no colon"))
    #expect(
      refusal(environment: ["TOOL_TLS": "yes"])
        == .message("invalid boolean value \"yes\" for environment variable TOOL_TLS: parse error"))
    #expect(refusal("-tls", environment: ["TOOL_TLS": "yes"]) == nil)
  }

  @Test("random command lines are read or refused, never a trap")
  func random() {
    var random = SystemRandomNumberGenerator()
    let words = ["-", "--", "-tls", "-tls=x", "-addr", "--addr=é", "-=", "=", "", "-days", "9", "\u{0}", "---", "-h=1"]
    for _ in 0..<5_000 {
      let line = (0..<Int.random(in: 0...5, using: &random)).compactMap { _ in words.randomElement(using: &random) }
      _ = try? table.parse(line)
    }
    #expect(table.flags.count == 7)
  }

  @Test("where a table has operands, they stand anywhere, and only -- ends the flags")
  func operands() throws {
    let table = FlagTable(
      tool: "tool", summary: "Does things", environmentPrefix: "",
      groups: [
        FlagGroup(
          "",
          [
            Flag("v", .bool, summary: "Tells", hasEnvironment: false),
            Flag("n", .string, "NAME", summary: "Names", hasEnvironment: false),
          ])
      ], operands: "[PORT…]", dashes: "--")
    let values = try table.parse(["1", "--v", "-", "-n", "x", "2", "--", "--v", "3"])
    #expect(values.operands == ["1", "-", "2", "--v", "3"])
    #expect(values.operandsAfterDashes == ["--v", "3"])
    #expect(values.bool("v") && values.string("n") == "x")
    #expect(throws: FlagError.message("flag provided but not defined: --w")) { try table.parse(["1", "-w"]) }
    #expect(table.help.hasPrefix("usage: tool [flags] [PORT…]\n\nDoes things.\n\n  --n NAME\n        Names\n"))
    #expect(!table.help.contains("environment"))
  }

  @Test("help lists every flag once, sorted, with its default")
  func helpText() {
    #expect(
      table.help == """
        usage: tool -addr=ADDRESS [flags]

        Does things.

          -addr ADDRESS
                Where to
          -connect-timeout DURATION
                How long (default 1s)
          -days N
                How many
          -output FORMAT
                How to print (default text)
          -rpc-header HEADER
                What to add
          -tls
                Encrypt
          -version
                Print the version

        Flags may also be given as environment variables, such as TOOL_ADDR; the command line wins.

        """)
  }
}

@Suite struct GoDurationTests {
  @Test(
    "durations are read as Go reads them",
    arguments: [
      ("300ms", 300_000_000), ("1.5h", 5_400_000_000_000), ("1m30s", 90_000_000_000), ("1us", 1_000), ("1µs", 1_000),
      ("1μs", 1_000), ("-1s", -1_000_000_000), ("+1s", 1_000_000_000), ("0", 0), ("-0", 0), (".5s", 500_000_000),
      ("1.s", 1_000_000_000), ("1.0000000001s", 1_000_000_000), ("999999999s", 999_999_999_000_000_000),
      ("9223372036854775807ns", Int64.max), ("-9223372036854775808ns", Int64.min),
      ("1h1m1s1ms1us1ns", 3_661_001_001_001),
    ] as [(String, Int64)])
  func reading(text: String, nanoseconds: Int64) { #expect(GoDuration.parse(text) == nanoseconds) }

  @Test(
    "what is no duration is refused",
    arguments: [
      "", "5", "s", ".s", "1", "-", "+", "1d", "1 s", "1s ", "s1", "1s1", "--1s", "1e3s", "9223372036854775808ns",
      "9999999999999999999999s", "9999999999h", "é",
    ])
  func refusing(text: String) { #expect(GoDuration.parse(text) == nil) }

  @Test(
    "durations are printed as Go prints them",
    arguments: [
      (1_000_000_000, "1s"), (250_000_000, "250ms"), (1_500_000_000, "1.5s"), (90_000_000_000, "1m30s"),
      (500_000, "500µs"), (1, "1ns"), (0, "0s"), (-1_000_000_000, "-1s"), (3_600_000_000_000, "1h0m0s"),
      (4_880_888, "4.880888ms"), (3_661_500_000_000, "1h1m1.5s"), (Int64.min, "-2562047h47m16.854775808s"),
    ] as [(Int64, String)])
  func printing(nanoseconds: Int64, text: String) {
    #expect(GoDuration.format(nanoseconds) == text)
    #expect(GoDuration.parse(text) == nanoseconds)
  }
}

@Suite struct ShortFlagTests {
  private static let table = FlagTable(
    tool: "tool", summary: "Does things", environmentPrefix: "TOOL_",
    groups: [
      FlagGroup(
        "Main",
        [
          Flag("tcp", .bool, summary: "TCP", short: "t"), Flag("listening", .bool, summary: "Listen", short: "l"),
          Flag("ipv4", .bool, summary: "IPv4", short: "4"), Flag("tl", .bool, summary: "A name of its own"),
          Flag("data", .string, "TEXT", summary: "What to send", short: "d"),
          Flag("max-time", .seconds, "DURATION", summary: "How long"),
        ])
    ], operands: "[WORD…]", dashes: "--")

  private func given(_ word: String) -> Set<String>? {
    guard let values = try? Self.table.parse([word]) else { return nil }
    return Set(Self.table.flags.map { $0.name }.filter { values.bool($0) })
  }

  @Test("letters with one dash mean a flag each, unless the word is a flag's name")
  func letters() {
    #expect(given("-t") == ["tcp"])
    #expect(given("-lt4") == ["tcp", "listening", "ipv4"])
    #expect(given("-tl") == ["tl"])
    #expect(given("-tcp") == ["tcp"])
    #expect(given("--t") == ["tcp"])
    #expect(given("-t=true") == ["tcp"])
    #expect(given("-t=false") == [])
    // A letter that means nothing, or takes a value.
    #expect(given("-tx") == nil)
    #expect(given("-td") == nil)
  }

  @Test("the letter of a flag with a value stands alone", arguments: [["-d", "a b"], ["-d=a b"], ["--data", "a b"]])
  func letterWithValue(words: [String]) throws {
    let values = try Self.table.parse(words + ["-l"])
    #expect(values.string("data") == "a b")
    #expect(values.bool("listening"))
  }

  @Test(
    "a number without a unit is of seconds, where the flag says so",
    arguments: [
      ("5", 5_000_000_000), ("0.25", 250_000_000), ("300ms", 300_000_000), ("1m", 60_000_000_000),
    ])
  func seconds(text: String, nanoseconds: Int64) throws {
    #expect(try Self.table.parse(["--max-time", text]).duration("max-time") == nanoseconds)
  }

  @Test("what is no length of time is refused", arguments: ["", "five", "5x", "1e3", "-"])
  func noSeconds(text: String) {
    #expect(throws: FlagError.self) { try Self.table.parse(["--max-time=" + text]) }
  }

  @Test("help has the letter before the name")
  func help() {
    #expect(Self.table.help.contains("\n  -t, --tcp\n"))
    #expect(Self.table.help.contains("\n  --tl\n"))
  }
}
