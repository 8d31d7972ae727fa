// SPDX-License-Identifier: Apache-2.0

import Diagnostics

/// The table of diagnoses as a page of the documents.
enum DiagnosisPage {
  static var text: String {
    var text = """
      # Diagnoses

      The codes under which netdiag reports what it has found, with what may be behind each and what cures it, as
      `netdiag explain CODE` tells them, too. Codes are stable: they are added, never changed.

      | code | what it says | causes, the likeliest first | cure | to be sure |
      |---|---|---|---|---|

      """
    for diagnosis in Diagnosis.all {
      let next = diagnosis.next.isEmpty ? "" : "`\(diagnosis.next)`"
      text += "| `\(diagnosis.code)` | \(diagnosis.meaning) | \(diagnosis.causes.joined(separator: "; ")) | "
      text += "\(diagnosis.cure) | \(next) |\n"
    }
    return text
  }
}
