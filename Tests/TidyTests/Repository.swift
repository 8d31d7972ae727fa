// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The repository as files.
extension Repository {
  /// A file of the repository.
  struct File: CustomTestStringConvertible {
    let path: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var testDescription: String { path }
    /// The module of a Swift source, from its path.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  }

  /// The sources, by folder and by the end of their names.
  static func files(in folders: [String], endings: [String]) -> [File] {
    var files: [File] = []
    for folder in folders {
      let base = root.appendingPathComponent(folder)
      guard let paths = FileManager.default.enumerator(atPath: base.path) else { continue }
      for case let path as String in paths where endings.contains(where: { path.hasSuffix($0) }) {
        guard let text = try? String(contentsOf: base.appendingPathComponent(path), encoding: .utf8) else { continue }
        files.append(File(path: folder + "/" + path, text: text))
      }
    }
    return files.sorted { $0.path < $1.path }
  }

  static let swiftSources = files(in: ["Sources"], endings: [".swift"])
}
