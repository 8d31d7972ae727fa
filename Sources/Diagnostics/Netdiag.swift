// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Flags
internal import HealthProbe
internal import Sys

// Diagnostics: netdiag's checks, each a value that is looked at first and rendered afterwards, as text or as JSON.

/// How a run ends.
struct ExitCode: RawRepresentable, Equatable {
  let rawValue: Int32

  /// All is well.
  static let fine = ExitCode(rawValue: 0)
  /// A problem was found.
  static let problem = ExitCode(rawValue: 1)
  /// The command line cannot be used.
  static let usage = ExitCode(rawValue: 2)
  /// It could not be determined: something that it takes to know is missing or forbidden, or a signal ended the run.
  static let undetermined = ExitCode(rawValue: 3)

  /// The status of a call: 0 for OK, 64 and the status's code for any other.
  static func status(_ code: Int) -> ExitCode {
    code == 0 ? .fine : ExitCode(rawValue: 64 + Int32(truncatingIfNeeded: min(code, 63)))
  }
}

/// The tool: its commands, and what they share.
public enum Netdiag {
  /// One command of the tool.
  public struct Command: Sendable {
    /// The word that calls it; or two, of which the first is a group's.
    public let name: String
    /// Its flags, and the flags of every command.
    public let flags: FlagTable
    /// Whether the tables of `/proc` are of use where a namespace cannot be entered.
    let readsTables: Bool
    /// Whether `netdiag complete` tells what its words may be.
    public let completesOperands: Bool
    let run: @Sendable (Invocation) throws(UsageError) -> ExitCode

    init(
      _ name: String, summary: String, operands: String, groups: [FlagGroup], readsTables: Bool = false,
      completesOperands: Bool = false, run: @escaping @Sendable (Invocation) throws(UsageError) -> ExitCode
    ) {
      self.name = name
      self.readsTables = readsTables
      self.completesOperands = completesOperands
      self.run = run
      flags = FlagTable(
        tool: "netdiag " + name, summary: summary, environmentPrefix: "", groups: groups + sharedFlags,
        operands: operands, dashes: "--")
    }
  }

  /// The commands, in the order of help.
  public static let commands: [Command] = [
    listenersCommand, tcpCommand, tlsCommand, dnsCommand, httpCommand, http2Command, healthCommand, netCommand,
    doctorCommand, waitCommand, explainCommand, socketsCommand, balanceCommand, grpcListCommand,
    grpcDescribeCommand, grpcCallCommand, grpcDiffCommand, grpcBenchCommand,
  ]

  /// What the tool does, in one sentence without a full stop.
  public static let summary = "Finds out what is wrong between a client and a server"

  /// The flags of every command.
  public static let sharedFlags = [
    FlagGroup(
      "Output",
      [
        Flag(
          "json", .bool, summary: "print one JSON document instead of text",
          details: "Its keys are the same whatever comes of the run.", hasEnvironment: false),
        Flag(
          "strict", .bool, summary: "count warnings as problems", details: "The exit code is 1 then.",
          hasEnvironment: false),
      ]),
    FlagGroup(
      "Place",
      [
        Flag(
          "netns", .string, "NAME|PID|PATH", summary: "look from inside of this network namespace",
          details: "A name of ip-netns(8), a process's number, or a file. It takes CAP_SYS_ADMIN; for another user's "
            + "process CAP_SYS_PTRACE too.", hasEnvironment: false)
      ]),
  ]

  /// Runs the tool and gives its exit code.
  public static func run(arguments: [String], environment: @escaping (String) -> String?) -> Int32 {
    StandardStream.prepare()
    guard let name = arguments.first else {
      StandardStream.error.write(help)
      return ExitCode.usage.rawValue
    }
    switch name {
    case "help", "-h", "-help", "--help":
      StandardStream.output.write(help)
      return ExitCode.fine.rawValue
    case "version", "-version", "--version":
      StandardStream.output.write(versionText("netdiag", more: ["libmnl"]))
      return ExitCode.fine.rawValue
    case "complete" where arguments.count == 2:
      StandardStream.output.write(Completion.run(arguments[1], environment))
      return ExitCode.fine.rawValue
    default: break
    }
    if let command = commands.first(where: { $0.name == name }) {
      return run(command, Array(arguments.dropFirst()), environment)
    }
    let group = commands.filter { $0.name.hasPrefix(name + " ") }
    guard !group.isEmpty else {
      StandardStream.error.write("netdiag: there is no command \(name.quoted); see netdiag help\n")
      return ExitCode.usage.rawValue
    }
    switch arguments.dropFirst().first {
    case nil:
      StandardStream.error.write(help(group))
      return ExitCode.usage.rawValue
    case "help"?, "-h"?, "-help"?, "--help"?:
      StandardStream.output.write(help(group))
      return ExitCode.fine.rawValue
    case let word?:
      guard let command = group.first(where: { $0.name == name + " " + word }) else {
        StandardStream.error.write(
          "netdiag \(name): there is no command \(word.quoted); see netdiag \(name) help\n")
        return ExitCode.usage.rawValue
      }
      return run(command, Array(arguments.dropFirst(2)), environment)
    }
  }

  private static func run(
    _ command: Command, _ arguments: [String], _ environment: @escaping (String) -> String?
  ) -> Int32 {
    do throws(FlagError) {
      let values = try command.flags.parse(arguments)
      return run(command, Invocation(flags: values, environment: environment))
    } catch {
      switch error {
      case .helpRequested:
        StandardStream.output.write(command.flags.help)
        return ExitCode.fine.rawValue
      case .message(let line):
        StandardStream.error.write("netdiag \(command.name): \(line); see netdiag \(command.name) --help\n")
        return ExitCode.usage.rawValue
      }
    }
  }

  private static func run(_ command: Command, _ invocation: Invocation) -> Int32 {
    do throws(UsageError) {
      var invocation = invocation
      if invocation.flags.isGiven("netns") {
        let text = invocation.flags.string("netns")
        guard let namespace = NetworkNamespace(text) else {
          throw UsageError(
            line: "\(text.quoted) names no network namespace: write a name, a process's number or a path")
        }
        do throws(NetworkPlace.Refusal) {
          invocation.place = try .entering(namespace, readsTables: command.readsTables)
        } catch { return invocation.refuse(command.name, error.reason).rawValue }
        if !command.readsTables {
          for (path, error) in namespace.useNames() {
            StandardStream.error.write(
              "netdiag \(command.name): names are looked up without \(path.safeForDisplay): \(error.operation): "
                + "\(error.text)\n")
          }
        }
      }
      return try command.run(invocation).rawValue
    } catch {
      StandardStream.error.write("netdiag \(command.name): \(error.line); see netdiag \(command.name) --help\n")
      return ExitCode.usage.rawValue
    }
  }

  /// What `netdiag help` prints.
  static var help: String { help(commands) }

  private static func help(_ commands: [Command]) -> String {
    var text = "usage: netdiag COMMAND [flags] …\n\n\(summary).\n\n"
    for command in commands {
      text += "  " + command.name.padded(to: 15) + command.flags.summary + "\n"
    }
    return text + "\nnetdiag COMMAND --help tells the flags of a command, netdiag version what is linked in.\n"
  }
}

/// One call of a command.
struct Invocation {
  let flags: FlagValues
  let environment: (String) -> String?
  /// Where the command looks.
  var place = NetworkPlace.own
}

extension Invocation {
  /// The time that `--timeout` gives, in nanoseconds.
  var timeout: Int64 {
    get throws(UsageError) {
      let timeout = flags.duration("timeout")
      guard timeout > 0 else { throw UsageError(line: "--timeout must be greater than zero") }
      return timeout
    }
  }
}

/// A command line that cannot be used.
struct UsageError: Error {
  /// What is wrong with it, without a full stop.
  let line: String
}
