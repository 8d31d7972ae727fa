// SPDX-License-Identifier: Apache-2.0

/// Finds what keeps programs of an older schema from understanding those of a newer one, or the other way round.
///
/// Declarations are found again by their full names, fields and values of enums by their numbers. Whatever is new
/// breaks nothing, but for a field that must be there. A message or an enum that is gone breaks nothing by itself:
/// what used it does, unless it is gone in order.
public struct SchemaComparison {
  private let new: DescriptorPool
  private(set) var changes: [SchemaChange] = []

  /// The changes from one schema to another, in the order of the older one's files.
  public static func changes(from old: DescriptorPool, to new: DescriptorPool) -> [SchemaChange] {
    var comparison = SchemaComparison(new: new)
    for file in old.files {
      for message in file.messages { comparison.compare(message) }
      for enumeration in file.enums { comparison.compare(enumeration) }
      for service in file.services { comparison.compare(service) }
    }
    return comparison.changes
  }

  private init(new: DescriptorPool) { self.new = new }

  private mutating func note(
    _ kind: SchemaChange.Kind, _ element: some Descriptor, _ breaks: SchemaChange.Breaks, _ text: String
  ) {
    changes.append(SchemaChange(kind: kind, element: element.fullName, breaks: breaks, text: text))
  }

  // MARK: - Services

  private mutating func compare(_ old: ServiceDescriptor) {
    guard let found = new.service(named: old.fullName) else {
      return note(.serviceRemoved, old, .both, "the service is gone: its calls fail with UNIMPLEMENTED")
    }
    for method in old.methods {
      guard let other = found.methods.first(where: { $0.name == method.name }) else {
        note(.methodRemoved, method, .both, "the method is gone: its calls fail with UNIMPLEMENTED")
        continue
      }
      compare(method, "request", method.input, other.input)
      compare(method, "answer", method.output, other.output)
      compareStreaming(method, "requests", method.isClientStreaming, other.isClientStreaming)
      compareStreaming(method, "answers", method.isServerStreaming, other.isServerStreaming)
    }
  }

  private mutating func compare(
    _ method: MethodDescriptor, _ side: String, _ old: MessageDescriptor, _ new: MessageDescriptor
  ) {
    guard old.fullName != new.fullName else { return }
    note(.methodTypeChanged, method, .both, "its \(side) was \(old.fullName), and is \(new.fullName)")
  }

  private mutating func compareStreaming(_ method: MethodDescriptor, _ side: String, _ old: Bool, _ new: Bool) {
    guard old != new else { return }
    note(
      .methodStreamingChanged, method, .both,
      old ? "it had any number of \(side), and has one" : "it had one of its \(side), and has any number")
  }

  // MARK: - Messages

  private mutating func compare(_ old: MessageDescriptor) {
    guard !old.isMapEntry else { return }
    if let found = new.message(named: old.fullName) {
      let reserved = Reservations(found.reservedRanges, found.reservedNames)
      for field in old.fields { compare(field, in: found, reserved) }
      compareReservations(
        old, old.reservedRanges, found.reservedRanges, old.reservedNames, found.reservedNames)
      for field in found.fields where field.cardinality == .required && old.field(numbered: field.number) == nil {
        note(
          .fieldRequirednessChanged, field, .both,
          "it is new and required: messages of older programs are not complete without it")
      }
    }
    for nested in old.messages { compare(nested) }
    for enumeration in old.enums { compare(enumeration) }
  }

  private mutating func compare(
    _ field: FieldDescriptor, in message: MessageDescriptor, _ reserved: Reservations
  ) {
    let sameName = message.field(named: field.name)
    guard let found = message.field(numbered: field.number), !found.isExtension else {
      if let sameName {
        return note(
          .fieldNumberChanged, field, .wire, "its number was \(field.number), and is \(sameName.number)")
      }
      return compareRemoved(field, reserved)
    }
    compareTypes(field, found)
    if field.jsonName != found.jsonName {
      let other = sameName.map { ", and \(field.name) is number \($0.number)" } ?? ""
      note(
        sameName == nil ? .fieldJSONNameChanged : .fieldNumberChanged, field, sameName == nil ? .json : .both,
        "number \(field.number) was \"\(field.jsonName)\" in JSON, and is \"\(found.jsonName)\"\(other)")
    }
    if (field.cardinality == .required) != (found.cardinality == .required) {
      note(
        .fieldRequirednessChanged, field, .both,
        field.cardinality == .required
          ? "it was required, and is not: older programs refuse messages without it"
          : "it was not required, and is: messages of older programs may lack it")
    }
    let oneofs = (Self.oneofName(field), Self.oneofName(found))
    if oneofs.0 != oneofs.1 {
      note(
        .fieldOneofChanged, field, .both,
        "it was in \(oneofs.0.map { "the oneof \($0)" } ?? "no oneof"), and is in "
          + "\(oneofs.1.map { "the oneof \($0)" } ?? "none"): setting one field may clear another")
    }
    if !Self.haveSameDefault(field, found) {
      note(.fieldDefaultChanged, field, .both, "its default was another: where it is not set, each side sees its own")
    }
  }

  private mutating func compareRemoved(_ field: FieldDescriptor, _ reserved: Reservations) {
    var breaks: SchemaChange.Breaks = []
    if !reserved.covers(field.number, field.number) { breaks.insert(.wire) }
    if !reserved.names.contains(field.name) { breaks.insert(.json) }
    if field.cardinality == .required { breaks.insert(.both) }
    guard !breaks.isEmpty else { return }
    note(
      .fieldRemoved, field, breaks,
      "it is gone, and \(Self.missingReservation(breaks, "number \(field.number)", field.name))")
  }

  private static func missingReservation(_ breaks: SchemaChange.Breaks, _ number: String, _ name: String) -> String {
    let parts = (breaks.contains(.wire) ? [number] : []) + (breaks.contains(.json) ? ["the name \"\(name)\""] : [])
    return "\(parts.joined(separator: " and ")) \(parts.count == 1 ? "is" : "are") not reserved"
  }

  private static func oneofName(_ field: FieldDescriptor) -> String? {
    field.oneof.flatMap { $0.isSynthetic ? nil : $0.name }
  }

  private static func haveSameDefault(_ old: FieldDescriptor, _ new: FieldDescriptor) -> Bool {
    guard old.type == new.type, old.cardinality != .repeated, new.cardinality != .repeated else { return true }
    switch (old.layout.defaultValue, new.layout.defaultValue) {
    case (.scalar(let a), .scalar(let b)): return a == b
    case (.bytes(let a), .bytes(let b)): return a == b
    default: return true
    }
  }

  // MARK: - Types

  private mutating func compareTypes(_ old: FieldDescriptor, _ new: FieldDescriptor) {
    guard old.isMap == new.isMap else {
      return note(.fieldCardinalityChanged, old, .json, "it was a \(Self.shape(old)), and is a \(Self.shape(new))")
    }
    if (old.cardinality == .repeated) != (new.cardinality == .repeated) {
      note(.fieldCardinalityChanged, old, .both, "it was \(Self.shape(old)), and is \(Self.shape(new))")
    }
    if old.isMap, let from = old.message, let to = new.message {
      for number in [1, 2] as [Int32] {
        if let a = from.field(numbered: number), let b = to.field(numbered: number) { compareValues(a, b, of: old) }
      }
      return
    }
    compareValues(old, new, of: old)
  }

  private mutating func compareValues(_ old: FieldDescriptor, _ new: FieldDescriptor, of field: FieldDescriptor) {
    var breaks: SchemaChange.Breaks = []
    if old.type != new.type {
      if old.type.wireGroup != new.type.wireGroup { breaks.insert(.wire) }
      if old.type.jsonGroup != new.type.jsonGroup { breaks.insert(.json) }
    } else if old.message?.fullName != new.message?.fullName {
      breaks = .both
    } else if old.enumeration?.fullName != new.enumeration?.fullName {
      breaks = .json
    }
    guard !breaks.isEmpty else { return }
    note(.fieldTypeChanged, field, breaks, "its type was \(Self.typeName(old)), and is \(Self.typeName(new))")
  }

  private static func shape(_ field: FieldDescriptor) -> String {
    field.isMap ? "map" : field.cardinality == .repeated ? "repeated" : "singular"
  }

  private static func typeName(_ field: FieldDescriptor) -> String {
    field.message?.fullName ?? field.enumeration?.fullName ?? field.type.word
  }

  // MARK: - Enums

  private mutating func compare(_ old: EnumDescriptor) {
    guard let found = new.enumeration(named: old.fullName) else { return }
    if old.isClosed != found.isClosed {
      note(
        .enumOpennessChanged, old, .both,
        old.isClosed
          ? "it was closed, and is open: numbers that it does not know are kept now"
          : "it was open, and is closed: numbers that it does not know are lost")
    }
    var namesByNumber: [Int32: [String]] = [:]
    for value in found.values { namesByNumber[value.number, default: []].append(value.name) }
    let reserved = Reservations(found.reservedRanges, found.reservedNames)
    for value in old.values {
      let names = namesByNumber[value.number] ?? []
      if names.isEmpty {
        var breaks: SchemaChange.Breaks = []
        if !reserved.covers(value.number, value.number) { breaks.insert(.wire) }
        if !reserved.names.contains(value.name) { breaks.insert(.json) }
        guard !breaks.isEmpty else { continue }
        note(
          .enumValueRemoved, value, breaks,
          "it is gone, and \(Self.missingReservation(breaks, "number \(value.number)", value.name))")
      } else if !names.contains(value.name) {
        note(
          .enumValueRenamed, value, .json,
          "number \(value.number) was \(value.name), and is \(names.joined(separator: ", "))")
      }
    }
    compareReservations(old, old.reservedRanges, found.reservedRanges, old.reservedNames, found.reservedNames)
  }

  // MARK: - Reservations

  private mutating func compareReservations(
    _ element: some Descriptor, _ oldRanges: [NumberRange], _ newRanges: [NumberRange], _ oldNames: [String],
    _ newNames: [String]
  ) {
    let reserved = Reservations(newRanges, newNames)
    for range in oldRanges where !reserved.covers(range.first, range.last) {
      let text = range.first == range.last ? "\(range.first)" : "\(range.first) to \(range.last)"
      note(.reservationRemoved, element, .wire, "\(text) was reserved, and is not any more")
    }
    for name in oldNames where !reserved.names.contains(name) {
      note(.reservationRemoved, element, .json, "the name \"\(name)\" was reserved, and is not any more")
    }
  }
}

/// The numbers and names that must not be used again.
private struct Reservations {
  let names: Set<String>
  /// Ranges that neither overlap nor touch, ascending.
  private var ranges: [(first: Int64, last: Int64)] = []

  init(_ ranges: [NumberRange], _ names: [String]) {
    self.names = Set(names)
    for range in ranges.sorted(by: { $0.first < $1.first }) {
      if let last = self.ranges.last, Int64(range.first) <= last.last + 1 {
        self.ranges[self.ranges.count - 1].last = max(last.last, Int64(range.last))
      } else {
        self.ranges.append((Int64(range.first), Int64(range.last)))
      }
    }
  }

  /// Whether all numbers from one to another are reserved.
  func covers(_ first: Int32, _ last: Int32) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].last < Int64(first) { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].first <= Int64(first) && ranges[low].last >= Int64(last)
  }
}

extension FieldType {
  /// Types of one group read each other's bytes, as far as the numbers fit.
  fileprivate var wireGroup: UInt8 {
    switch self {
    case .int32, .uint32, .int64, .uint64, .bool, .enumeration: 0
    case .sint32, .sint64: 1
    case .fixed32, .sfixed32: 2
    case .fixed64, .sfixed64: 3
    case .float: 4
    case .double: 5
    case .string: 6
    case .bytes: 7
    case .message: 8
    case .group: 9
    }
  }

  /// Types of one group read each other's JSON, as far as the numbers fit.
  fileprivate var jsonGroup: UInt8 {
    switch self {
    case .int32, .uint32, .sint32, .fixed32, .sfixed32: 0
    case .int64, .uint64, .sint64, .fixed64, .sfixed64: 1
    case .float, .double: 2
    case .bool: 3
    case .enumeration: 4
    case .string: 5
    case .bytes: 6
    case .message, .group: 7
    }
  }
}
