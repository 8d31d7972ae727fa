// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import JSON
internal import Sys

/// `netdiag explain [CODE…]`.
let explainCommand = Netdiag.Command(
  "explain", summary: "tells the causes and the cure of a diagnosis, or lists them all", operands: "[CODE…]",
  groups: []
) { (invocation) throws(UsageError) in
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

/// Diagnoses as one document.
private func explanation(of diagnoses: [Diagnosis]) -> JSONWriter {
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
