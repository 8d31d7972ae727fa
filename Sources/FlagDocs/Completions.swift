// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Flags

/// What a shell needs to complete a tool's flags and their values.
public struct Completions {
  private let table: FlagTable

  /// Completions for a table.
  public init(_ table: FlagTable) { self.table = table }

  private var function: String { "_" + table.tool }
  private var sorted: [Flag] { table.flags.sorted { $0.name < $1.name } }

  /// A file for bash, to be sourced or put into its completions folder.
  public var bash: String {
    let names = sorted.map { $0.kind == .bool ? "-" + $0.name : "-\($0.name)=" }.joined(separator: " ")
    var values = ""
    for flag in sorted {
      let choices: String
      switch flag.kind {
      case .choice(let words): choices = "-W \"\(words.joined(separator: " "))\""
      case .string where flag.placeholder == "FILE": choices = "-f"
      default: continue
      }
      values += "    -\(flag.name) | --\(flag.name))\n"
      values += "      COMPREPLY=($(compgen \(choices) -- \"$word\"))\n      return\n      ;;\n"
    }
    return """
      # bash completion for \(table.tool)
      \(function)() {
        local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]}
        # bash breaks words at the equals sign: what stands before it is the flag.
        if [[ $word == = ]]; then
          word=
        elif [[ $flag == = ]]; then
          flag=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        case $flag in
      \(values)  esac
        COMPREPLY=($(compgen -W "\(names)" -- "$word"))
        [[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace
        return 0
      }
      complete -F \(function) \(table.tool)

      """
  }

  /// A file for zsh, to be put into a folder of `fpath` under the name `_TOOL`.
  public var zsh: String {
    let lines = sorted.map { flag -> String in
      let summary = flag.summary.filter { !"[]:'\\".contains($0) }
      let action: String
      switch flag.kind {
      case .bool: return "  '-\(flag.name)[\(summary)]'"
      case .choice(let words): action = "(\(words.joined(separator: " ")))"
      case .string where flag.placeholder == "FILE": action = "_files"
      default: action = ""
      }
      let repeats = flag.kind == .list ? "*" : ""
      let placeholder = flag.placeholder.filter { !"[]:'\\".contains($0) }
      return "  '\(repeats)-\(flag.name)=[\(summary)]:\(placeholder):\(action)'"
    }
    return "#compdef \(table.tool)\n_arguments \\\n" + lines.joined(separator: " \\\n") + "\n"
  }

  /// A file for fish, to be put into its completions folder.
  public var fish: String {
    var text = "# fish completion for \(table.tool)\n"
    for flag in sorted {
      let summary = flag.summary.filter { $0 != "'" && $0 != "\\" }
      var line = "complete -c \(table.tool) -o \(flag.name) -d '\(summary)'"
      switch flag.kind {
      case .bool: break
      case .choice(let words): line += " -x -a '\(words.joined(separator: " "))'"
      case .string where flag.placeholder == "FILE": line += " -r -F"
      default: line += " -x"
      }
      text += line + "\n"
    }
    return text
  }
}
