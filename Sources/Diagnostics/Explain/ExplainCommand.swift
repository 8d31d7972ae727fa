// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import JSON
internal import Sys

/// `netdiag explain [CODE…]`, `… 2>&1 | netdiag explain`.
let explainCommand = Netdiag.Command(
  "explain", summary: "tells the causes and the cure of a code, or of the errors in a text on standard input",
  operands: "[CODE…]", groups: []
) { (invocation) throws(UsageError) in
  if invocation.flags.operands.isEmpty {
    let text = StandardInput.read(limit: ErrorText.limit)
    if !text.isEmpty { return explain(text, invocation) }
  }
  var wanted: [Diagnosis] = []
  for word in invocation.flags.operands {
    guard let diagnosis = Diagnosis.named(word) else {
      throw UsageError(line: "there is no diagnosis \(word.quoted); netdiag explain lists them")
    }
    wanted.append(diagnosis)
  }
  let shown = wanted.isEmpty ? Diagnosis.all : wanted
  if invocation.isJSON {
    StandardStream.output.write(explanation(of: shown).text + "\n")
  } else if wanted.isEmpty {
    let width = shown.reduce(0) { max($0, $1.code.utf8.count) } + 2
    for diagnosis in shown { StandardStream.output.write(diagnosis.code.padded(to: width) + diagnosis.meaning + "\n") }
  } else {
    for (index, diagnosis) in shown.enumerated() {
      StandardStream.output.write((index == 0 ? "" : "\n") + diagnosis.text)
    }
  }
  return .fine
}

/// Tells what the errors in a text mean.
private func explain(_ text: [UInt8], _ invocation: Invocation) -> ExitCode {
  let found = ErrorText.find(in: text)
  var codes: [String] = []
  for one in found where !codes.contains(one.code) { codes.append(one.code) }
  let diagnoses = codes.compactMap { Diagnosis.named($0) }
  if invocation.isJSON {
    StandardStream.output.write(explanation(of: diagnoses, found).text + "\n")
  } else if found.isEmpty {
    var output = TextOutput(.output, invocation.environment)
    output.line(.unknown, "nothing in the text is known; netdiag explain CODE tells of a code")
    StandardStream.output.write(output.text)
  } else {
    for (index, diagnosis) in diagnoses.enumerated() {
      let lines = found.filter { $0.code == diagnosis.code }
      let first = lines[0]
      let more = lines.count > 1 ? ", and \(lines.count - 1) more" : ""
      StandardStream.output.write((index == 0 ? "" : "\n") + "line \(first.line): \(first.phrase.quoted)\(more)\n")
      StandardStream.output.write(diagnosis.text)
    }
  }
  return found.isEmpty ? .undetermined : .fine
}

/// Diagnoses as one document, with the phrases of a text that they explain.
private func explanation(of diagnoses: [Diagnosis], _ found: [ErrorText] = []) -> JSONWriter {
  var json = JSONWriter()
  json.beginObject()
  json.key("schema")
  json.integer(1)
  json.key("command")
  json.string("explain")
  json.key("ok")
  json.boolean(true)
  json.key("code")
  json.string("OK")
  json.key("error")
  json.null()
  json.key("phrases")
  json.beginArray()
  for one in found {
    json.beginObject()
    json.key("line")
    json.integer(Int64(one.line))
    json.key("phrase")
    json.string(one.phrase)
    json.key("code")
    json.string(one.code)
    json.endObject()
  }
  json.endArray()
  json.key("diagnoses")
  json.beginArray()
  for diagnosis in diagnoses {
    json.beginObject()
    json.key("code")
    json.string(diagnosis.code)
    json.key("meaning")
    json.string(diagnosis.meaning)
    json.key("causes")
    json.beginArray()
    for cause in diagnosis.causes { json.string(cause) }
    json.endArray()
    json.key("cure")
    json.string(diagnosis.cure)
    json.key("next")
    json.string(diagnosis.next)
    json.endObject()
  }
  json.endArray()
  json.endObject()
  return json
}
