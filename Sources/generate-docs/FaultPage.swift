// SPDX-License-Identifier: Apache-2.0

import Fault

/// The table of faults as a page of the documents.
enum FaultPage {
  static var text: String {
    var text = """
      # Faults

      What can fail on the way to an answer, as `reason:` lines and the `fault` member of JSON name it. Codes are
      stable: they are added, never changed. A transient fault may pass by itself and is tried again within the time
      there is; a permanent one ends the check.

      | code | step | | what | advice |
      |---|---|---|---|---|

      """
    for code in FaultCode.allCases {
      let lasting = code.isPermanent ? "permanent" : "transient"
      text += "| `\(code.rawValue)` | \(code.step.rawValue) | \(lasting) | \(code.phrase) … | \(code.advice) |\n"
    }
    return text
  }
}
