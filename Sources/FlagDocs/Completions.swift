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
    """
    # bash completion for \(table.tool)
    \(function)() {
    \(Self.bashWords)
    \(bashBody)  return 0
    }
    complete -F \(function) \(table.tool)

    """
  }

  /// The lines that find the word to complete and the flag before it.
  static let bashWords = """
      local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]}
      # bash breaks words at the equals sign: what stands before it is the flag.
      if [[ $word == = ]]; then
        word=
      elif [[ $flag == = ]]; then
        flag=${COMP_WORDS[COMP_CWORD - 2]}
      fi
    """

  /// The lines that complete a flag or its value.
  var bashBody: String {
    let names = sorted.map { $0.kind == .bool ? table.dashes + $0.name : "\(table.dashes)\($0.name)=" }
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
    let cases = values.isEmpty ? "" : "  case $flag in\n\(values)  esac\n"
    return cases + """
        COMPREPLY=($(compgen -W "\(names.joined(separator: " "))" -- "$word"))
        [[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace

      """
  }

  /// A file for zsh, to be put into a folder of `fpath` under the name `_TOOL`.
  public var zsh: String {
    "#compdef \(table.tool)\n_arguments \\\n" + zshArguments.map { "  " + $0 }.joined(separator: " \\\n") + "\n"
  }

  /// The flags as `_arguments` takes them.
  var zshArguments: [String] {
    sorted.map { flag -> String in
      let name = table.dashes + flag.name
      let summary = flag.summary.filter { !"[]:'\\".contains($0) }
      let action: String
      switch flag.kind {
      case .bool: return "'\(name)[\(summary)]'"
      case .choice(let words): action = "(\(words.joined(separator: " ")))"
      case .string where flag.placeholder == "FILE": action = "_files"
      default: action = ""
      }
      let repeats = flag.kind == .list ? "*" : ""
      let placeholder = flag.placeholder.filter { !"[]:'\\".contains($0) }
      return "'\(repeats)\(name)=[\(summary)]:\(placeholder):\(action)'"
    }
  }

  /// A file for fish, to be put into its completions folder.
  public var fish: String {
    "# fish completion for \(table.tool)\n" + fishOptions.map { "complete -c \(table.tool) \($0)\n" }.joined()
  }

  /// The flags as options of fish's `complete`.
  var fishOptions: [String] {
    // fish knows names behind one dash as old ones, names behind two as long ones.
    let kind = table.dashes == "-" ? "-o" : "-l"
    return sorted.map { flag -> String in
      let summary = flag.summary.filter { $0 != "'" && $0 != "\\" }
      let option = "\(kind) \(flag.name) -d '\(summary)'"
      switch flag.kind {
      case .bool: return option
      case .choice(let words): return option + " -x -a '\(words.joined(separator: " "))'"
      case .string where flag.placeholder == "FILE": return option + " -r -F"
      default: return option + " -x"
      }
    }
  }
}
