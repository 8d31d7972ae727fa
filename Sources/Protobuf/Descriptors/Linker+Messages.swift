// SPDX-License-Identifier: Apache-2.0

extension Linker {
  mutating func linkMessages() throws(SchemaError) {
    let sorted = fieldsByMessage()
    let reach = reachOfRequired()
    messageLayouts.reserveCapacity(messages.count)
    for index in messages.indices {
      let pending = messages[index]
      do throws(SchemaError.Code) {
        messageLayouts.append(try layout(index, pending, fields: sorted[index], reachesRequired: reach[index]))
      } catch { throw fail(error, pending.fullName, pending.place.file) }
    }
    for layout in messageLayouts {
      layout.link { index in
        let field = fieldLayouts[layout.sortedFields[index]]
        let isShared = field.oneof >= 0 && !layout.oneofs[field.oneof].isSynthetic
        return FieldSlot(
          field, index: index, oneof: isShared ? field.oneof : -1,
          message: field.message < 0 ? nil : messageLayouts[field.message],
          enumeration: field.enumeration < 0 ? nil : enumLayouts[field.enumeration])
      }
    }
  }

  /// For each message its fields and known extensions, by number.
  private func fieldsByMessage() -> [[Int]] {
    var fields: [[Int]] = Array(repeating: [], count: messages.count)
    for (index, field) in fieldLayouts.enumerated() { fields[field.container].append(index) }
    for index in fields.indices {
      fields[index].sort { fieldLayouts[$0].number < fieldLayouts[$1].number }
    }
    return fields
  }

  /// For each message whether it has required fields, or has a field whose message reaches one that has.
  private func reachOfRequired() -> [Bool] {
    var reaches = Array(repeating: false, count: messages.count)
    var users: [[Int]] = Array(repeating: [], count: messages.count)
    var open: [Int] = []
    for field in fieldLayouts {
      if field.message >= 0 { users[field.message].append(field.container) }
      if field.cardinality == .required, !reaches[field.container] {
        reaches[field.container] = true
        open.append(field.container)
      }
    }
    while let message = open.popLast() {
      for user in users[message] where !reaches[user] {
        reaches[user] = true
        open.append(user)
      }
    }
    return reaches
  }

  private func layout(_ index: Int, _ pending: Pending<MessageDeclaration>, fields: [Int], reachesRequired: Bool)
    throws(SchemaError.Code) -> MessageLayout
  {
    let declaration = pending.declaration
    let own = children[index]
    let isMessageSet = pending.options.isTrue(1)
    if isMessageSet { try checkMessageSet(own, fields) }
    let lastNumber = isMessageSet ? Self.lastSetNumber : Self.lastNumber
    let numbers = fields.map { fieldLayouts[$0].number }
    for (left, right) in zip(numbers, numbers.dropFirst()) where left == right { throw .duplicateNumber(left) }
    for range in declaration.reservedRanges + declaration.extensionRanges {
      guard range.first >= 1, range.first <= range.last, range.last <= lastNumber else {
        throw .invalidNumber(range.last)
      }
    }
    let setAside = ReservedNumbers(declaration.reservedRanges + declaration.extensionRanges)
    for field in own.fields where setAside.contains(fieldLayouts[field].number) {
      throw .invalidNumber(fieldLayouts[field].number)
    }
    try check(declaration.reservedNames, own.fields.map { (name: fieldLayouts[$0].common.name, value: $0) })
    if own.isMapEntry { try checkMapEntry(pending, own, fields) }
    return MessageLayout(
      pending.common(declaration.name, .message), poolIndex: index, isMapEntry: own.isMapEntry,
      isMessageSet: isMessageSet, nestedMessages: own.messages, enums: own.enums, extensions: own.extensions,
      oneofs: try oneofs(own),
      declaredFields: own.fields, sortedFields: fields, numbers: numbers, extensionRanges: declaration.extensionRanges,
      reservedRanges: declaration.reservedRanges, reservedNames: declaration.reservedNames,
      names: try names(pending, fields),
      requiredFields: fields.indices.filter { fieldLayouts[fields[$0]].cardinality == .required },
      reachesRequired: reachesRequired)
  }

  private func checkMessageSet(_ own: Children, _ fields: [Int]) throws(SchemaError.Code) {
    guard own.fields.isEmpty else { throw .invalid("a message set has fields of its own") }
    for field in fields where fieldLayouts[field].type != .message || fieldLayouts[field].cardinality != .singular {
      throw .invalid("the extension \(fieldLayouts[field].common.fullName) of a message set is no optional message")
    }
  }

  private func checkMapEntry(_ pending: Pending<MessageDeclaration>, _ own: Children, _ fields: [Int])
    throws(SchemaError.Code)
  {
    let isEntry =
      pending.place.parent >= 0 && fields.count == 2 && own.fields.count == 2 && own.oneofs.isEmpty
      && fields.enumerated().allSatisfy {
        fieldLayouts[$1].number == $0 + 1 && fieldLayouts[$1].cardinality == .singular
      }
      && fieldLayouts[fields[0]].type.isMapKey && fieldLayouts[fields[1]].type != .group
    guard isEntry else { throw .invalid("a map's entry is not a key and a value") }
  }

  private func oneofs(_ own: Children) throws(SchemaError.Code) -> [OneofLayout] {
    var members: [[Int]] = Array(repeating: [], count: own.oneofs.count)
    for field in own.fields where fieldLayouts[field].oneof >= 0 { members[fieldLayouts[field].oneof].append(field) }
    var oneofs: [OneofLayout] = []
    for (oneof, fields) in zip(own.oneofs, members) {
      let optional = fields.count { self.fields[$0].declaration.isProto3Optional }
      guard !fields.isEmpty else { throw .invalid("the oneof " + oneof.name + " has no fields") }
      guard optional == 0 || fields.count == 1 else {
        throw .invalid("the oneof " + oneof.name + " of an optional field has others")
      }
      guard optional > 0 || oneofs.last?.isSynthetic != true else {
        throw .invalid("the oneof " + oneof.name + " stands behind that of an optional field")
      }
      oneofs.append(OneofLayout(common: oneof, fields: fields, isSynthetic: optional > 0))
    }
    return oneofs
  }

  /// The names by which JSON finds fields.
  ///
  /// Names in JSON are unique where the message's format is `ALLOW`; where it is not, and in messages that were written
  /// before names had to be, the field that is declared first has the name. A name that is one field's in JSON and
  /// another's own leads to the former.
  private func names(_ pending: Pending<MessageDeclaration>, _ fields: [Int]) throws(SchemaError.Code) -> NameTable {
    let isLegacy = pending.features.jsonFormat == .legacyBestEffort || pending.options.isTrue(11)
    // Fields lie in the pool in the order in which they are declared.
    let declared = fields.indices.sorted { fields[$0] < fields[$1] }
    let inJSON = declared.map { (name: fieldLayouts[fields[$0]].jsonKey, value: $0) }
    let own = declared.filter { !fieldLayouts[fields[$0]].isExtension }.map {
      (name: fieldLayouts[fields[$0]].common.name, value: $0)
    }
    if !isLegacy, let name = NameTable(inJSON).repeated { throw .jsonNameConflict(name) }
    return NameTable(inJSON + own)
  }
}
