// SPDX-License-Identifier: Apache-2.0

import Schemas
import SwiftProtobuf
import Testing

@testable import UserStore

@Suite struct UserRulesTests {
  @Test(
    "addresses that mail systems take are valid",
    arguments: [
      "a@b.cd", "first.last+tag@sub.example.co.uk", "O'Neil!#$%&*-/=?^_`{|}~@example.com", "x@xn--bcher-kva.example",
      String(repeating: "l", count: 64) + "@example.com", "1@1.2",
    ])
  func goodEmail(text: String) { #expect(UserRules.email(text) == nil) }

  @Test(
    "other addresses are not",
    arguments: [
      "", " ", "a", "@", "a@", "@b.c", "a@b", "a@b.", "a@.b", "a@b..c", "a@-b.c", "a@b-.c", "a@b_c.d", "a b@c.de",
      "a@@b.c",
      "a@b@c.de", ".a@b.cd", "a.@b.cd", "a..b@c.de", "ä@b.cd", "a@bücher.de", "a\n@b.cd", "a@b.cd\n", "<a@b.cd>",
      "\"a\"@b.cd",
      "a@[127.0.0.1]", String(repeating: "l", count: 65) + "@example.com",
      "a@" + String(repeating: "d", count: 64) + ".com", "a@" + String(repeating: "d.", count: 130) + "com", "a\0@b.cd",
    ])
  func badEmail(text: String) { #expect(UserRules.email(text) != nil) }

  @Test(
    "names, numbers and roles have their bounds",
    arguments: [
      (UserRules.name("Zoë 山田"), true), (UserRules.name(String(repeating: "ä", count: 200)), true),
      (UserRules.name(String(repeating: "ä", count: 201)), false), (UserRules.name(" \t"), false),
      (UserRules.name("a\u{1B}[31m"), false), (UserRules.name("a\u{202E}b"), false),
      (UserRules.phoneNumber(""), true), (UserRules.phoneNumber("+44 (20) 7946-0000"), true),
      (UserRules.phoneNumber("112"), true), (UserRules.phoneNumber("11"), false),
      (UserRules.phoneNumber("1234567890123456"), false), (UserRules.phoneNumber("4+4123"), false),
      (UserRules.phoneNumber("call me"), false),
      (UserRules.phoneNumber("123" + String(repeating: " ", count: 30)), false),
      (UserRules.roles([]), true), (UserRules.roles(["editor", "team/a:b.c-d_e"]), true),
      (UserRules.roles(["a", "a"]), false), (UserRules.roles([""]), false), (UserRules.roles(["a\nb"]), false),
      (UserRules.roles([String(repeating: "r", count: 65)]), false), (UserRules.roles((0..<32).map { "r\($0)" }), true),
      (UserRules.roles((0..<33).map { "r\($0)" }), false),
    ])
  func bounds(complaint: String?, isValid: Bool) { #expect((complaint == nil) == isValid, "\(complaint ?? "valid")") }

  @Test("everything that is wrong is told at once")
  func allViolations() throws {
    let store = try memoryStore()
    let found = violations { () throws(StoreError) in
      _ = try store.create(
        User_V1_User.with {
          $0.email = "nobody"
          $0.role = .UNRECOGNIZED(9)
          $0.roles = ["a b"]
          $0.phoneNumber = "x"
          $0.legacyField = String(repeating: "x", count: 1_025)
        })
    }
    #expect(
      found.map(\.field) == [
        "user.email", "user.name", "user.role", "user.roles", "user.phone_number", "user.legacy_field",
      ])
    #expect(try store.reader.count() == 0)
  }
}
