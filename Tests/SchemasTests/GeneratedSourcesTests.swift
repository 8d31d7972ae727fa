// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@Suite struct GeneratedSourcesTests {
  /// The compiler that the committed files came from: Debian 12's. Another one orders and names options differently.
  static let compiler = "libprotoc 3.21.12\n"

  @Test("the sources in the tree are what the schemas give")
  func upToDate() async throws {
    let version = try Command(["protoc", "--version"])
    guard version.code == 0, version.output == Self.compiler else {
      print("skipped: the sources are compared with those of \(Self.compiler.dropLast()), and that is not installed")
      return
    }
    // The first time, it builds the compiler's plugin.
    let check = try await Command.run(["scripts/generate-protos", "check"])
    #expect(check.code == 0, "\(check.output)")
  }
}
