// SPDX-License-Identifier: Apache-2.0

/// What a command about schemas has found: all is well, or a problem kept it from its work.
protocol GRPCReport: Report {
  /// What the server was found to speak; nil where a flag said it, or no server was asked.
  var detection: String? { get }
  var problem: Problem? { get }
}

extension GRPCReport {
  var worst: Mark { problem?.mark ?? .ok }
  var code: String { problem?.code ?? "OK" }
  var error: String? { problem?.meaning }

  func write(to output: inout TextOutput) { writeBeginning(to: &output) }

  /// Writes what every report begins with.
  func writeBeginning(to output: inout TextOutput) {
    if let detection { output.line(.note, detection) }
    if let problem { output.line(problem.mark, problem.meaning) }
  }
}
