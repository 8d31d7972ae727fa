// SPDX-License-Identifier: Apache-2.0

import Schemas
import TestSupport
import Testing

@testable import UserStore

@Suite struct FilterPropertyTests {
  @Test("any text is either a filter that the database takes or a violation with a column inside of it")
  func arbitraryText() throws {
    let store = try memoryStore()
    _ = try store.create(user("ada"))
    let pieces = [
      "role", "email", "name", "roles", "created_at", "email_verified", "phone_number", "id", "=", "!=", "<", "<=", ">",
      ">=", ":", "(", ")", "AND", "OR", "NOT", "ADMIN", "true", "*", "\"", "'", "\\", " ", "\t", "-", ";", "--", "?1",
      "\0",
      "é", "🦆", "\"x\"", "\"2026-01-01T00:00:00Z\"", "\"; DROP TABLE users\"", "%", ",", "1e9", "/*", "NULL", "\u{301}",
    ]
    var random = SeededGenerator(2)
    var accepted = 0
    for _ in 0..<20_000 {
      let parts = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
      let text = parts.joined(separator: Bool.random(using: &random) ? " " : "")
      do throws(StoreError) {
        let filter = try UserFilter(text)
        _ = try store.reader.users(after: "", filter: filter)
        accepted += 1
      } catch {
        guard case .invalidArgument(let violations) = error, violations.count == 1, let only = violations.first else {
          Issue.record("\(text): \(error)")
          continue
        }
        let column = only.description.dropFirst("column ".count).prefix { $0.isNumber }
        #expect((1...text.unicodeScalars.count + 1).contains(Int(column) ?? 0), "\(text): \(only)")
      }
    }
    #expect(accepted > 100)
    #expect(try store.reader.count() == 1)
  }

  /// A random filter beside what it means.
  private indirect enum Model {
    case role(User_V1_UserRole, isEqual: Bool)
    case verified(Bool)
    case nameHas(String)
    case hasRole(String)
    case not(Model)
    case all([Model])
    case any([Model])

    init(depth: Int, using random: inout SeededGenerator) {
      switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &random) {
      case 0:
        self = .role(
          [.admin, .user, .guest, .unspecified].randomElement(using: &random) ?? .admin,
          isEqual: Bool.random(using: &random))
      case 1: self = .verified(Bool.random(using: &random))
      case 2: self = .nameHas(["a", "B", "1", "'"].randomElement(using: &random) ?? "")
      case 3: self = .hasRole(["x", "y", "xy"].randomElement(using: &random) ?? "")
      case 4: self = .not(Model(depth: depth - 1, using: &random))
      case let kind:
        let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in Model(depth: depth - 1, using: &random) }
        self = kind == 5 ? .all(parts) : .any(parts)
      }
    }

    var text: String {
      switch self {
      case .role(let role, let isEqual):
        "role \(isEqual ? "=" : "!=") " + (["UNSPECIFIED", "ADMIN", "USER", "GUEST"][role.rawValue])
      case .verified(let flag): "email_verified = \(flag)"
      case .nameHas(let part): "name : " + quoted(part)
      case .hasRole(let role): "roles:\(role)"
      case .not(let part): "NOT (\(part.text))"
      case .all(let parts): "(" + parts.map(\.text).joined(separator: " AND ") + ")"
      case .any(let parts): "(" + parts.map(\.text).joined(separator: " OR ") + ")"
      }
    }

    func fits(_ user: User_V1_User) -> Bool {
      switch self {
      case .role(let role, let isEqual): (user.role == role) == isEqual
      case .verified(let flag): user.emailVerified == flag
      case .nameHas(let part): user.name.lowercased().contains(part.lowercased())
      case .hasRole(let role): user.roles.contains(role)
      case .not(let part): !part.fits(user)
      case .all(let parts): parts.allSatisfy { $0.fits(user) }
      case .any(let parts): parts.contains { $0.fits(user) }
      }
    }
  }

  @Test("a filter finds exactly the users that it describes")
  func meaning() throws {
    let store = try memoryStore()
    var random = SeededGenerator(3)
    for index in 0..<60 {
      _ = try store.create(
        user("\(["a", "b", "AB", "o'"][index % 4])\(index)") {
          $0.email = "u\(index)@example.com"
          $0.role = User_V1_UserRole(rawValue: Int.random(in: 0...3, using: &random)) ?? .unspecified
          $0.emailVerified = Bool.random(using: &random)
          $0.roles = ["x", "y", "xy"].filter { _ in Bool.random(using: &random) }
        })
    }
    let all = try store.reader.users(after: "")
    for _ in 0..<1_000 {
      let model = Model(depth: 3, using: &random)
      let filter = try UserFilter(model.text)
      #expect(try store.reader.users(after: "", filter: filter) == all.filter { model.fits($0) }, "\(model.text)")
    }
  }
}
