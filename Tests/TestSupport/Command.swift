// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program of the system's, or a script of the repository's, that was run to its end.
public struct Command: Sendable {
  /// Its exit code, which is 127 where there is no such program.
  public let code: Int32
  /// What it wrote to standard output and standard error.
  public let output: String

  /// Runs it in the repository's folder and waits for it.
  public init(_ arguments: [String]) throws {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = Repository.root
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    code = process.terminationStatus
    output = String(decoding: bytes, as: UTF8.self)
  }

  /// The same for a program that may take minutes: it is waited for on a thread of its own. Tests share a thread for
  /// each processor, and those with deadlines miss them where another keeps one.
  public static func run(_ arguments: [String]) async throws -> Command {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try Command(arguments) }) }
    }
  }
}
