// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Flags

/// A tool with commands, each with flags of its own beside those of all: `tool COMMAND [flags] …`.
public struct CommandSet: Sendable {
  /// One of the tool's commands.
  public struct Command: Sendable {
    /// The word that calls it.
    public let name: String
    /// Its flags, those of every command included.
    public let table: FlagTable

    /// A command.
    public init(_ name: String, _ table: FlagTable) { (self.name, self.table) = (name, table) }
  }

  /// The tool's name, as it is called.
  public let tool: String
  /// What the tool does, in one sentence without a full stop.
  public let summary: String
  /// The commands, in the order of help.
  public let commands: [Command]
  /// The groups of flags that every command has.
  public let shared: [FlagGroup]

  /// A tool.
  public init(tool: String, summary: String, commands: [Command], shared: [FlagGroup]) {
    (self.tool, self.summary, self.commands, self.shared) = (tool, summary, commands, shared)
  }
}

// MARK: - Manual

extension CommandSet {
  /// The page of the manual: the commands with their own flags, the flags that all have, then the sections.
  public func manPage(version: String, sections: [ManSection]) -> String {
    var text = ManPage.heading(tool: tool, version: version, summary: summary)
    text += ".B \(ManPage.escaped(tool))\n\\fICOMMAND\\fR [\\fIflags\\fR] ...\n.SH COMMANDS\n"
    let sharedTitles = shared.map { $0.title }
    for command in commands {
      let words = [command.name, command.table.required, "[flags]", command.table.operands].filter { !$0.isEmpty }
      text += ".SS \(ManPage.escaped(words.joined(separator: " ")))\n"
      text += ManPage.line(ManPage.sentence(command.table.summary)) + "\n"
      for group in command.table.groups where !sharedTitles.contains(group.title) {
        for flag in group.flags { text += ManPage.entry(flag, of: command.table) }
      }
    }
    for group in shared {
      guard let table = commands.first?.table else { break }
      text += ".SH \(ManPage.escaped(group.title.uppercased()))\n.PP\nEvery command has these flags.\n"
      for flag in group.flags { text += ManPage.entry(flag, of: table) }
    }
    return text + ManPage.text(of: sections)
  }
}

// MARK: - Completions

extension CommandSet {
  private var function: String { "_" + tool }

  /// The words that may come first.
  private var words: [String] { commands.map { $0.name } + ["help", "version"] }

  /// A file for bash, to be sourced or put into its completions folder.
  public var bash: String {
    var cases = ""
    for command in commands {
      let completions = Completions(command.table)
      cases += "    \(command.name))\n"
      cases += completions.bashBody.split(onASCII: 0x0A).dropLast().map { "    \($0)\n" }.joined()
      cases += "      ;;\n"
    }
    return """
      # bash completion for \(tool)
      \(function)() {
      \(Completions.bashWords)
        if ((COMP_CWORD == 1)); then
          COMPREPLY=($(compgen -W "\(words.joined(separator: " "))" -- "$word"))
          return
        fi
        case ${COMP_WORDS[1]} in
      \(cases)  esac
        return 0
      }
      complete -F \(function) \(tool)

      """
  }

  /// A file for zsh, to be put into a folder of `fpath` under the name `_TOOL`.
  public var zsh: String {
    var text = "#compdef \(tool)\nlocal -a commands=(\n"
    for command in commands {
      text += "  '\(command.name):\(command.table.summary.filter { !"':\\".contains($0) })'\n"
    }
    text += "  'help:tells the commands'\n  'version:tells the version'\n)\n"
    text += "if ((CURRENT == 2)); then\n  _describe command commands\n  return\nfi\n"
    text += "local command=$words[2]\nshift words\n((CURRENT--))\ncase $command in\n"
    for command in commands {
      let lines = Completions(command.table).zshArguments + ["'*: :_files'"]
      text += "\(command.name))\n  _arguments \\\n"
      text += lines.map { "    " + $0 }.joined(separator: " \\\n") + "\n  ;;\n"
    }
    return text + "esac\n"
  }

  /// A file for fish, to be put into its completions folder.
  public var fish: String {
    var text = "# fish completion for \(tool)\n"
    for command in commands {
      let summary = command.table.summary.filter { $0 != "'" && $0 != "\\" }
      text += "complete -c \(tool) -f -n __fish_use_subcommand -a \(command.name) -d '\(summary)'\n"
    }
    text += "complete -c \(tool) -f -n __fish_use_subcommand -a 'help version'\n"
    for command in commands {
      for line in Completions(command.table).fishOptions {
        text += "complete -c \(tool) -n '__fish_seen_subcommand_from \(command.name)' \(line)\n"
      }
    }
    return text
  }
}
