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
    return invocation.finish(text.isEmpty ? Explanation.list : Explanation(of: text))
  }
  var wanted: [Diagnosis] = []
  for word in invocation.flags.operands {
    guard let diagnosis = Diagnosis.named(word) else {
      throw UsageError(line: "there is no diagnosis \(word.quoted); netdiag explain lists them")
    }
    wanted.append(diagnosis)
  }
  return invocation.finish(Explanation(diagnoses: wanted))
}

/// What `netdiag explain` tells: of codes, of the errors in a text, or a line of every diagnosis.
struct Explanation: Report {
  static let command = "explain"

  let diagnoses: [Diagnosis]
  /// What was known of a text; nil where none was to be explained.
  private let phrases: [ErrorText]?
  private let isList: Bool

  /// An explanation of codes.
  init(diagnoses: [Diagnosis]) { (self.diagnoses, phrases, isList) = (diagnoses, nil, false) }

  /// An explanation of the errors in a text.
  init(of text: [UInt8]) {
    let found = ErrorText.find(in: text)
    var codes: [String] = []
    for one in found where !codes.contains(one.code) { codes.append(one.code) }
    (diagnoses, phrases, isList) = (codes.compactMap { Diagnosis.named($0) }, found, false)
  }

  private init(listing diagnoses: [Diagnosis]) { (self.diagnoses, phrases, isList) = (diagnoses, nil, true) }

  /// A line of every diagnosis.
  static let list = Explanation(listing: Diagnosis.all)

  var worst: Mark { phrases?.isEmpty == true ? .unknown : .ok }

  var code: String { worst == .unknown ? "UNDETERMINED" : "OK" }

  var error: String? { worst == .unknown ? "nothing in the text is known" : nil }

  func write(to output: inout TextOutput) {
    if let error { output.line(.unknown, "\(error); netdiag explain CODE tells of a code") }
    if isList {
      let width = diagnoses.reduce(0) { max($0, $1.code.utf8.count) } + 2
      for diagnosis in diagnoses { output.plain(diagnosis.code.padded(to: width) + diagnosis.meaning) }
      return
    }
    for (index, diagnosis) in diagnoses.enumerated() {
      if index > 0 { output.plain("") }
      let lines = (phrases ?? []).filter { $0.code == diagnosis.code }
      if let first = lines.first {
        let more = lines.count > 1 ? ", and \(lines.count - 1) more" : ""
        output.plain("line \(first.line): \(first.phrase.quoted)\(more)")
      }
      diagnosis.write(to: &output)
    }
  }

  func appendMembers(to json: inout JSONWriter) {
    json.members("phrases", phrases ?? []) { one, json in
      json.member("line", one.line)
      json.member("phrase", one.phrase)
      json.member("code", one.code)
    }
    json.members("diagnoses", diagnoses) { diagnosis, json in
      json.member("code", diagnosis.code)
      json.member("meaning", diagnosis.meaning)
      json.member("causes", diagnosis.causes)
      json.member("cure", diagnosis.cure)
      json.member("next", diagnosis.next)
    }
  }
}
