// SPDX-License-Identifier: Apache-2.0

// Writes the man page and the completions of each tool into a folder: `generate-docs dist`.

import FlagDocs
import Foundation
import HealthProbe
import Sys

let folder = URL(fileURLWithPath: CommandLine.arguments.dropFirst().first ?? "dist")
let completions = Completions(probeFlags)
let files = [
  "man/grpc_health_probe.1": ManPage(probeFlags, version: sondeVersion, sections: probeManual).text,
  "completions/grpc_health_probe.bash": completions.bash,
  "completions/_grpc_health_probe": completions.zsh,
  "completions/grpc_health_probe.fish": completions.fish,
  "man/netdiag.1": netdiagCommands.manPage(version: sondeVersion, sections: netdiagManual),
  "completions/netdiag.bash": netdiagCommands.bash,
  "completions/_netdiag": netdiagCommands.zsh,
  "completions/netdiag.fish": netdiagCommands.fish,
]
for (name, text) in files {
  let file = folder.appendingPathComponent(name)
  try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(text.utf8).write(to: file)
}

// Pages that are kept in the repository too: a test says when they are out of date.
for (path, text) in zip(CommandLine.arguments.dropFirst(2), [FaultPage.text, DiagnosisPage.text]) {
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}
