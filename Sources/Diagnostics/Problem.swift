// SPDX-License-Identifier: Apache-2.0

internal import Fault

/// What kept a command from what it was asked for.
struct Problem: Error {
  /// What it amounts to.
  let mark: Mark
  /// The stable code.
  let code: String
  /// What it means, without a full stop, safe to print.
  let meaning: String
  /// Whether asking again cannot help.
  let isPermanent: Bool

  init(mark: Mark = .failure, _ code: String, _ meaning: String, isPermanent: Bool = false) {
    (self.mark, self.code, self.meaning, self.isPermanent) = (mark, code, meaning, isPermanent)
  }

  init(_ fault: Fault) {
    (mark, code, meaning, isPermanent) = (fault.mark, fault.diagnosis, fault.programReason, fault.code.isPermanent)
  }
}
