// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Sys

@Suite struct DescriptorsTests {
  @Test("a file of limits has its line of open files")
  func limits() {
    let text = """
      Limit                     Soft Limit           Hard Limit           Units
      Max processes             63702                63702                processes
      Max open files            1024                 unlimited            files
      """
    let limits = Descriptors.limits(Array(text.utf8))
    #expect(limits?.soft == 1_024)
    #expect(limits?.hard == .max)
    #expect(Descriptors.limits(Array("Max open files\n".utf8)) == nil)
    #expect(Descriptors.limits(Array("Max open files  x 5 files".utf8)) == nil)
    #expect(Descriptors.limits([]) == nil)
  }

  @Test("the own descriptors are counted, and the limits are those that /proc tells")
  func own() throws {
    let own = Descriptors.own
    #expect(try #require(own.used) >= 3)
    let seen = Descriptors(of: getpid())
    #expect((own.soft, own.hard) == (seen.soft, seen.hard))
    // There is no such process.
    #expect(Descriptors(of: .max) == Descriptors(used: nil, soft: nil, hard: nil))
  }

  @Test("what is there exists, readable or not")
  func existence() {
    #expect(Files.exists("/proc") && Files.exists("/etc/passwd"))
    #expect(!Files.exists("/no/such/file"))
    #expect(!Files.exists("/etc/passwd/x"))
  }
}
