// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The certificates of scripts/make-certificates, made once for the whole run.
public enum Certificates {
  private struct ScriptFailure: Error {
    let output: String
  }

  private static let made: Result<Scratch, any Error> = Result {
    let scratch = try Scratch()
    let script = try Command(["scripts/make-certificates", scratch.folder])
    guard script.code == 0 else { throw ScriptFailure(output: script.output) }
    // What is global has no end of its own.
    atexit { (try? Certificates.made.get())?.remove() }
    return scratch
  }

  /// The bytes of a file that the script makes, such as `server.pem`.
  public static func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: made.get().path(name))))
  }
}
