// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import SQLite
internal import Schemas
internal import SwiftProtobuf

/// Turns what a filter says into a condition on the table of users. Values become bound parameters.
enum FilterCompiler {
  /// The condition of an expression, in parentheses where it needs them.
  static func condition(_ expression: FilterExpression) throws(FilterError) -> SQL {
    switch expression {
    case .and(let parts): return "(\(SQL.joined(try conditions(parts), separator: " AND ")))"
    case .or(let parts): return "(\(SQL.joined(try conditions(parts), separator: " OR ")))"
    case .not(let part): return "(NOT \(try condition(part)))"
    case .restriction(let restriction): return try condition(restriction)
    }
  }

  private static func conditions(_ parts: [FilterExpression]) throws(FilterError) -> [SQL] {
    var conditions: [SQL] = []
    for part in parts { conditions.append(try condition(part)) }
    return conditions
  }

  private static func condition(_ restriction: FilterRestriction) throws(FilterError) -> SQL {
    switch restriction.field {
    case "id": return try text("id", restriction)
    case "email": return try text("email", restriction)
    case "name": return try text("name", restriction)
    case "phone_number": return try text("phone_number", restriction)
    case "role": return try role(restriction)
    case "roles": return try roles(restriction)
    case "email_verified": return try emailVerified(restriction)
    case "created_at": return try createdAt(restriction)
    default:
      let name = restriction.field.shortened(toUTF8Count: 40).quoted
      throw FilterError(restriction.fieldColumn, "there is no field \(name); \(fields)")
    }
  }

  private static let fields =
    "the fields are id, email, name, phone_number, role, roles, email_verified and created_at"

  /// Texts compare byte by byte, addresses without regard to case; `:` finds a part, without regard to the case of
  /// ASCII letters, and `:*` any text at all.
  private static func text(_ column: SQL, _ restriction: FilterRestriction) throws(FilterError) -> SQL {
    guard restriction.comparator == .has else {
      return "\(column)\(restriction.comparator.sql)\(restriction.text)"
    }
    return restriction.isPresence
      ? "\(column) <> ''" : "instr(lower(\(column)), lower(\(restriction.text))) > 0"
  }

  /// A role goes by its name in the schema, with or without the prefix of the enum.
  private static func role(_ restriction: FilterRestriction) throws(FilterError) -> SQL {
    let comparator = try restriction.equality("role")
    if restriction.isPresence { return "role <> 0" }
    guard let role = roleNames[restriction.text] else {
      throw FilterError(restriction.value.column, "a role is ADMIN, USER, GUEST or UNSPECIFIED")
    }
    return "role\(comparator)\(role.rawValue)"
  }

  private static let roleNames: [String: User_V1_UserRole] = {
    let names: [(String, User_V1_UserRole)] = [
      ("UNSPECIFIED", .unspecified), ("ADMIN", .admin), ("USER", .user), ("GUEST", .guest),
    ]
    return names.reduce(into: [:]) { table, entry in
      table[entry.0] = entry.1
      table["USER_ROLE_" + entry.0] = entry.1
    }
  }()

  private static func roles(_ restriction: FilterRestriction) throws(FilterError) -> SQL {
    guard restriction.comparator == .has else {
      throw FilterError(restriction.comparatorColumn, "roles are several: only : asks whether one is among them")
    }
    if restriction.isPresence { return "roles <> ''" }
    return "instr(roles, \(RoleList.entry(restriction.text))) > 0"
  }

  private static func emailVerified(_ restriction: FilterRestriction) throws(FilterError) -> SQL {
    let comparator = try restriction.equality("email_verified")
    switch restriction.text {
    case "true": return "email_verified\(comparator)\(true)"
    case "false": return "email_verified\(comparator)\(false)"
    default: throw FilterError(restriction.value.column, "email_verified is true or false")
    }
  }

  private static func createdAt(_ restriction: FilterRestriction) throws(FilterError) -> SQL {
    guard let time = Instant(restriction.text) else {
      throw FilterError(restriction.value.column, "a time looks like \"2026-01-01T00:00:00Z\" (RFC 3339, in quotes)")
    }
    // A user has a whole number of microseconds; the time that it is compared with may lie between two.
    switch restriction.comparator {
    case .greater, .lessOrEqual: return "created_at\(restriction.comparator.sql)\(time.floor)"
    case .less, .greaterOrEqual: return "created_at\(restriction.comparator.sql)\(time.ceiling)"
    case .equals: return "created_at BETWEEN \(time.ceiling) AND \(time.floor)"
    case .notEquals: return "created_at NOT BETWEEN \(time.ceiling) AND \(time.floor)"
    case .has: throw FilterError(restriction.comparatorColumn, "created_at takes = != < <= > >=")
    }
  }
}

/// A point in time between microseconds since 1970, which are equal where it is one of them.
private struct Instant {
  let floor: Int64
  let ceiling: Int64

  /// The time of RFC 3339's text, from the year 1 to 9999.
  init?(_ text: String) {
    // Nothing that would end the text of the JSON that it becomes.
    let isPlain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x3A, 0x54, 0x5A].contains(byte)
    }
    guard isPlain, let time = try? Google_Protobuf_Timestamp(jsonString: "\"" + text + "\"") else { return nil }
    floor = time.seconds * 1_000_000 + Int64(time.nanos) / 1_000
    ceiling = time.nanos % 1_000 == 0 ? floor : floor + 1
  }
}

extension FilterRestriction {
  /// The value, whether it stood in quotes or not.
  fileprivate var text: String {
    switch value.kind {
    case .word(let text), .string(let text): text
    default: ""
    }
  }

  /// Whether it asks for any value: `field:*`.
  fileprivate var isPresence: Bool { comparator == .has && value.kind == .word("*") }

  /// The operator of a field that has no order: `:` means `=`.
  fileprivate func equality(_ field: String) throws(FilterError) -> SQL {
    switch comparator {
    case .equals, .has: return " = "
    case .notEquals: return " <> "
    default: throw FilterError(comparatorColumn, field + " has no order: it takes = != :")
    }
  }
}

extension FilterComparator {
  fileprivate var sql: SQL {
    switch self {
    case .equals, .has: " = "
    case .notEquals: " <> "
    case .less: " < "
    case .lessOrEqual: " <= "
    case .greater: " > "
    case .greaterOrEqual: " >= "
    }
  }
}
