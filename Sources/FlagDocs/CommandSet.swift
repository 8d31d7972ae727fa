// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Flags

/// A tool with commands, each with flags of its own beside those of all: `tool COMMAND [flags] …`.
public struct CommandSet: Sendable {
  /// One of the tool's commands.
  public struct Command: Sendable {
    /// The word that calls it; or two, of which the first is a group's.
    public let name: String
    /// Its flags, those of every command included.
    public let table: FlagTable
    /// Whether the tool's own `complete LINE` tells what its words may be.
    public let completesOperands: Bool

    /// A command.
    public init(_ name: String, _ table: FlagTable, completesOperands: Bool = false) {
      (self.name, self.table, self.completesOperands) = (name, table, completesOperands)
    }
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
  private var words: [String] { firstWords + ["help", "version"] }

  private var firstWords: [String] {
    var words: [String] = []
    for command in commands where !words.contains(command.word) { words.append(command.word) }
    return words
  }

  /// The words of which each begins the names of several commands, and those that may come second.
  private var groups: [(word: String, seconds: [String])] {
    firstWords.compactMap { word in
      let seconds = commands.filter { $0.word == word }.compactMap { $0.second }
      return seconds.isEmpty ? nil : (word, seconds)
    }
  }

  /// A file for bash, to be sourced or put into its completions folder.
  public var bash: String {
    var cases = ""
    for command in commands {
      let completions = Completions(command.table)
      cases += "    \(command.second == nil ? command.name : "'\(command.name)'"))\n"
      if command.completesOperands {
        // Bash breaks words at colons, too: the tool is told the line itself.
        cases += "      if [[ $word != -* ]]; then\n"
        cases += "        COMPREPLY=($(compgen -W \"$(\(tool) complete \"${COMP_LINE:0:COMP_POINT}\" 2>/dev/null)\""
        cases += " -- \"$word\"))\n        return\n      fi\n"
      }
      cases += completions.bashBody.split(onASCII: 0x0A).dropLast().map { "    \($0)\n" }.joined()
      cases += "      ;;\n"
    }
    var groupCases = ""
    for (word, seconds) in groups {
      groupCases += """
          if [[ $command == \(word) ]]; then
            if ((COMP_CWORD == 2)); then
              COMPREPLY=($(compgen -W "\(seconds.joined(separator: " ")) help" -- "$word"))
              return
            fi
            command+=" ${COMP_WORDS[2]}"
          fi

        """
    }
    return """
      # bash completion for \(tool)
      \(function)() {
      \(Completions.bashWords)
        if ((COMP_CWORD == 1)); then
          COMPREPLY=($(compgen -W "\(words.joined(separator: " "))" -- "$word"))
          return
        fi
        local command=${COMP_WORDS[1]}
      \(groupCases)  case $command in
      \(cases)  esac
        return 0
      }
      complete -F \(function) \(tool)

      """
  }

  /// A file for zsh, to be put into a folder of `fpath` under the name `_TOOL`.
  public var zsh: String {
    func described(_ commands: [(String, String)]) -> String {
      commands.map { "  '\($0):\($1.filter { !"':\\".contains($0) })'\n" }.joined()
    }
    let firsts = firstWords.map { word in
      (word, commands.first { $0.name == word }?.table.summary ?? "commands about \(word)")
    }
    var text = "#compdef \(tool)\nlocal -a commands=(\n"
    text += described(firsts + [("help", "tells the commands"), ("version", "tells the version")]) + ")\n"
    text += "if ((CURRENT == 2)); then\n  _describe command commands\n  return\nfi\n"
    text += "local command=$words[2]\nshift words\n((CURRENT--))\n"
    for (word, _) in groups {
      let seconds = commands.filter { $0.word == word }.map { ($0.second ?? "", $0.table.summary) }
      text += "if [[ $command == \(word) ]]; then\n  commands=(\n" + described(seconds) + "  )\n"
      text += "  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n"
      text += "  command=\"$command $words[2]\"\n  shift words\n  ((CURRENT--))\nfi\n"
    }
    text += "case $command in\n"
    for command in commands {
      let operands =
        command.completesOperands
        ? "'*: :{ compadd -- ${(f)\"$(\(tool) complete \"$LBUFFER\" 2>/dev/null)\"} }'" : "'*: :_files'"
      let lines = Completions(command.table).zshArguments + [operands]
      text += (command.second == nil ? command.name : "'\(command.name)'") + ")\n  _arguments \\\n"
      text += lines.map { "    " + $0 }.joined(separator: " \\\n") + "\n  ;;\n"
    }
    return text + "esac\n"
  }

  /// A file for fish, to be put into its completions folder.
  public var fish: String {
    var text = "# fish completion for \(tool)\n"
    func offer(_ word: String, _ condition: String, _ summary: String) {
      let summary = summary.filter { $0 != "'" && $0 != "\\" }
      text += "complete -c \(tool) -f -n '\(condition)' -a \(word) -d '\(summary)'\n"
    }
    for word in firstWords {
      let summary = commands.first { $0.name == word }?.table.summary ?? "commands about \(word)"
      offer(word, "__fish_use_subcommand", summary)
    }
    text += "complete -c \(tool) -f -n __fish_use_subcommand -a 'help version'\n"
    for (word, seconds) in groups {
      let none = seconds.joined(separator: " ")
      for command in commands where command.word == word {
        offer(
          command.second ?? "", "__fish_seen_subcommand_from \(word); and not __fish_seen_subcommand_from \(none)",
          command.table.summary)
      }
    }
    for command in commands {
      let seen = [command.word, command.second].compactMap { $0 }.map { "__fish_seen_subcommand_from \($0)" }
      if command.completesOperands {
        text += "complete -c \(tool) -f -n '\(seen.joined(separator: "; and "))' "
        text += "-a '(\(tool) complete (commandline -c | string collect) 2>/dev/null)'\n"
      }
      for line in Completions(command.table).fishOptions {
        text += "complete -c \(tool) -n '\(seen.joined(separator: "; and "))' \(line)\n"
      }
    }
    return text
  }
}

extension CommandSet.Command {
  /// The first word of the name.
  fileprivate var word: String { name.split(onASCII: 0x20)[0] }
  /// The second one; nil for a name of one word.
  fileprivate var second: String? { name.split(onASCII: 0x20).dropFirst().first }
}
