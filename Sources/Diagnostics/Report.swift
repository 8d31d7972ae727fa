// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON
internal import Sys

/// What a command has found, looked at and not yet rendered.
protocol Report {
  /// The word that called the command.
  static var command: String { get }
  /// The worst that is said.
  var worst: Mark { get }
  /// The stable code of the worst; `OK` where all is well.
  var code: String { get }
  /// What kept the command from its work; nil where nothing did.
  var error: String? { get }

  /// Writes the report for people.
  func write(to output: inout TextOutput)
  /// Writes the members of the document that are the command's own.
  func appendMembers(to json: inout JSONWriter)
}

extension Report {
  /// The report as one document.
  var json: JSONWriter {
    var json = JSONWriter()
    json.beginDocument(Self.command, isFine: worst <= .warning, code: code, error: error)
    appendMembers(to: &json)
    json.endObject()
    return json
  }
}

extension JSONWriter {
  /// Begins a document with the members that all have.
  fileprivate mutating func beginDocument(_ command: String, isFine: Bool, code: String, error: String?) {
    beginObject()
    member("schema", 1)
    member("command", command)
    member("ok", isFine)
    member("code", code)
    member("error", error)
  }
}

extension Invocation {
  /// Prints a report in the form that was asked for, and gives the exit code that it comes to. Text goes to the stream,
  /// a document always to standard output.
  func finish(_ report: some Report, to stream: StandardStream = .output) -> ExitCode {
    if flags.bool("json") {
      StandardStream.output.write(report.json.text + "\n")
    } else {
      var output = TextOutput(stream, environment)
      report.write(to: &output)
      stream.write(output.text)
    }
    return switch report.worst {
    case .ok, .note: .fine
    case .warning: flags.bool("strict") ? .problem : .fine
    case .failure: .problem
    case .unknown: .undetermined
    }
  }

  /// Says that a command cannot look where it was told to: a document has the members that all have.
  func refuse(_ command: String, _ reason: String) -> ExitCode {
    if flags.bool("json") {
      var json = JSONWriter()
      json.beginDocument(command, isFine: false, code: "UNDETERMINED", error: reason)
      json.endObject()
      StandardStream.output.write(json.text + "\n")
    } else {
      var output = TextOutput(.output, environment)
      output.line(.unknown, reason)
      StandardStream.output.write(output.text)
    }
    return .undetermined
  }
}
