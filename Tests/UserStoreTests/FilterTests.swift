// SPDX-License-Identifier: Apache-2.0

import Schemas
import SwiftProtobuf
import Testing

@testable import UserStore

@Suite struct FilterTests {
  let store: UserWriter

  init() throws {
    store = try memoryStore()
    _ = try store.create(
      user("ada") {
        $0.role = .admin
        $0.roles = ["editor", "audit"]
        $0.emailVerified = true
        $0.phoneNumber = "112"
      })
    _ = try store.create(user("bob") { ($0.role, $0.roles) = (.user, ["auditor"]) })
    _ = try store.create(user("eve \"'\\") { ($0.email, $0.role) = ("Eve@Example.ORG", .guest) })
  }

  @Test(
    "a filter finds who fits",
    arguments: [
      ("", "ada bob eve"), ("  \n ", "ada bob eve"),
      ("role = ADMIN", "ada"), ("role=USER_ROLE_ADMIN", "ada"), ("role != ADMIN", "bob eve"), ("role:USER", "bob"),
      ("role = \"GUEST\"", "eve"), ("role = UNSPECIFIED", ""), ("role:*", "ada bob eve"),
      ("email : \"@example.com\"", "ada bob"), ("email:EXAMPLE", "ada bob eve"), ("email = \"EVE@example.org\"", "eve"),
      ("email = ada@example.com", "ada"), ("email >= b@x", "bob eve"), ("email:\"%\"", ""), ("email:\"_\"", ""),
      ("name = \"ADA\"", ""), ("name : \"A\"", "ada"), ("name < \"b\"", "ada"), ("name <= bob", "ada bob"),
      ("name = \"eve \\\"'\\\\\"", "eve"), ("name:'\"'", "eve"), ("name = 'eve \"\\'\\\\'", "eve"),
      ("roles:audit", "ada"), ("roles:\"auditor\"", "bob"), ("roles:*", "ada bob"), ("NOT roles:*", "eve"),
      ("roles:\"editor\\\\naudit\"", ""),
      ("email_verified = true", "ada"), ("email_verified != true", "bob eve"), ("email_verified:false", "bob eve"),
      ("phone_number:*", "ada"), ("phone_number = \"\"", "bob eve"), ("phone_number:\"*\"", ""),
      ("id = nobody", ""), ("id:\"-\"", "ada bob eve"),
      ("role = ADMIN OR role = USER", "ada bob"), ("role = ADMIN AND role = USER", ""),
      ("NOT role = ADMIN AND NOT role = USER", "eve"), ("NOT (role = ADMIN OR role = USER)", "eve"),
      // OR binds tighter: (USER or ADMIN) and verified, not USER or (ADMIN and verified).
      ("role = USER OR role = ADMIN AND email_verified = true", "ada"),
      ("role = USER OR (role = ADMIN AND email_verified = true)", "ada bob"),
      ("NOT NOT NOT role = ADMIN", "bob eve"), ("((role = ADMIN))", "ada"), ("name = AND", ""), ("name = not", ""),
    ])
  func matches(filter: String, names: String) throws {
    let found = try store.reader.users(after: "", filter: UserFilter(filter)).map { $0.name.prefix(3) }
    #expect(found.joined(separator: " ") == names)
  }

  @Test(
    "times compare to the microsecond, and beyond",
    arguments: [
      // The three were created at .002, .004 and .006 s after 08:00.
      ("created_at > \"2027-01-15T08:00:00.002Z\"", 1), ("created_at >= \"2027-01-15T08:00:00.002Z\"", 2),
      ("created_at = \"2027-01-15T08:00:00.002Z\"", 1), ("created_at != \"2027-01-15T08:00:00.002Z\"", 2),
      ("created_at < \"2027-01-15T08:00:00.002Z\"", 1), ("created_at <= \"2027-01-15T08:00:00.002Z\"", 2),
      ("created_at = \"2027-01-15T08:00:00.002000001Z\"", 0), ("created_at != \"2027-01-15T08:00:00.002000001Z\"", 3),
      ("created_at > \"2027-01-15T08:00:00.001999999Z\"", 2), ("created_at >= \"2027-01-15T08:00:00.002000001Z\"", 1),
      ("created_at < \"2027-01-15T08:00:00.002000001Z\"", 2), ("created_at <= \"2027-01-15T08:00:00.001999999Z\"", 1),
      ("created_at > \"2027-01-15T10:00:00.002+02:00\"", 1), ("created_at > \"0001-01-01T00:00:00Z\"", 3),
      ("created_at < \"9999-12-31T23:59:59.999999999Z\"", 3), ("created_at < \"1969-12-31T23:59:59.9999999Z\"", 0),
    ])
  func times(filter: String, count: Int) throws {
    #expect(try store.reader.users(after: "", filter: UserFilter(filter)).count == count)
  }

  @Test(
    "what cannot be read is refused with its column",
    arguments: [
      ("role", 5, "expected a comparison (= != < <= > >= :), not the end"),
      ("role = ", 8, "expected a value, not the end"),
      ("role ADMIN", 6, "expected a comparison (= != < <= > >= :), not \"ADMIN\""),
      ("role = BOSS", 8, "a role is ADMIN, USER, GUEST or UNSPECIFIED"),
      ("role = admin", 8, "a role is ADMIN, USER, GUEST or UNSPECIFIED"),
      ("role > USER", 6, "role has no order: it takes = != :"),
      ("rôle = ADMIN", 1, "there is no field \"rôle\"; "), ("é = 1", 1, "there is no field \"é\"; "),
      ("password = x", 1, "there is no field \"password\"; "),
      ("name = \"ü\" AND colour = x", 16, "there is no field \"colour\"; "),
      ("role = ADMIN role = USER", 14, "expected AND, OR or the end, not \"role\""),
      ("role = ADMIN AND", 17, "expected a field, not the end"),
      ("AND role = ADMIN", 1, "expected a field, not \"AND\""), ("OR", 1, "expected a field, not \"OR\""),
      ("(role = ADMIN", 14, "expected \")\" for the \"(\" at column 1, not the end"),
      ("role = ADMIN)", 13, "expected AND, OR or the end, not \")\""), ("()", 2, "expected a field, not \")\""),
      ("name = \"x", 8, "the text that begins here has no closing quote"),
      ("name = 'x\"", 8, "the text that begins here has no closing quote"),
      ("name = \"a\\n\"", 10, "a backslash stands before a quote or another backslash alone"),
      ("name == x", 6, "the comparisons are"), ("name ! x", 6, "the comparisons are"),
      ("name = ;", 8, "\";\" has no meaning here"), ("name = \u{1B}", 8, "\"\\x1b\" has no meaning here"),
      ("\"name\" = x", 1, "expected a field, not a text"), ("= x", 1, "expected a field, not \"=\""),
      ("roles = x", 7, "roles are several"), ("email_verified = yes", 18, "email_verified is true or false"),
      ("email_verified < true", 16, "email_verified has no order"),
      ("created_at > yesterday", 14, "a time looks like"), ("created_at:*", 12, "a time looks like"),
      ("created_at > \"2026-02-30T00:00:00Z\"", 14, "a time looks like"),
      ("created_at > \"2026-01-01T00:00:00Z\\\"\"", 14, "a time looks like"),
      ("created_at > 2026-01-01T00:00:00Z", 27, "expected AND, OR or the end, not \":\""),
      ("created_at : \"2026-01-01T00:00:00Z\"", 12, "created_at takes = != < <= > >="),
    ])
  func errors(filter: String, column: Int, text: String) {
    let found = violations { () throws(StoreError) in _ = try UserFilter(filter) }
    #expect(found.count == 1)
    #expect(found.first?.field == "filter")
    #expect(found.first?.description.hasPrefix("column \(column): " + text) == true, "\(found)")
  }

  @Test("length, depth and number of comparisons are bounded, and the bounds work")
  func limits() throws {
    func isRefused(_ text: String) -> Bool { !violations { () throws(StoreError) in _ = try UserFilter(text) }.isEmpty }
    func nested(_ depth: Int) -> String {
      String(repeating: "(", count: depth) + "role = USER" + String(repeating: ")", count: depth)
    }
    func chained(_ count: Int) -> String { Array(repeating: "role = USER", count: count).joined(separator: " AND ") }
    func padded(_ length: Int) -> String { "role = USER" + String(repeating: " ", count: length - 11) }
    for (good, bad) in [
      (nested(FilterParser.maxDepth - 1), nested(FilterParser.maxDepth)),
      (
        String(repeating: "NOT ", count: FilterParser.maxDepth - 2) + "role != USER",
        String(repeating: "NOT ", count: FilterParser.maxDepth) + "role = USER"
      ),
      (chained(FilterParser.maxRestrictions), chained(FilterParser.maxRestrictions + 1)),
      (padded(FilterParser.maxLength), padded(FilterParser.maxLength + 1)),
    ] {
      _ = try store.reader.users(after: "", filter: UserFilter(good))
      #expect(isRefused(bad), "\(bad)")
    }
  }
}
