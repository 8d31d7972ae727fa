// SPDX-License-Identifier: Apache-2.0

extension Linker {
  mutating func linkEnums() throws(SchemaError) {
    enumLayouts.reserveCapacity(enums.count)
    for pending in enums {
      do throws(SchemaError.Code) { enumLayouts.append(try layout(pending)) } catch {
        throw fail(error, pending.fullName, pending.place.file)
      }
    }
  }

  private func layout(_ pending: Pending<EnumDeclaration>) throws(SchemaError.Code) -> EnumLayout {
    let declaration = pending.declaration
    guard let first = declaration.values.first else { throw .invalid("an enum has no values") }
    // What an open enum's field has where it is not set is 0, which must be the first value then.
    guard pending.features.enumType == .closed || first.number == 0 else {
      throw .invalid("the first value of an open enum is not 0")
    }
    let scope = pending.fullName.utf8.count - declaration.name.utf8.count
    let prefix = String(Substring(pending.fullName.utf8.prefix(scope)))
    for range in declaration.reservedRanges where range.first > range.last { throw .invalidNumber(range.last) }
    let reserved = ReservedNumbers(declaration.reservedRanges)
    var values: [EnumValueLayout] = []
    var names: [(name: String, value: Int)] = []
    var numbers: [(number: Int32, position: Int)] = []
    for (position, value) in declaration.values.enumerated() {
      guard !reserved.contains(value.number) else { throw .invalidNumber(value.number) }
      let options = try DescriptorOptions(checking: value.options, .enumValue)
      let common = CommonLayout(
        name: value.name, fullName: prefix + value.name,
        place: Place(file: pending.place.file, parent: pending.place.parent, position: position),
        features: try pending.features.refined(by: options, .enumValue, edition(of: pending.place.file)),
        options: options, isDeprecated: CommonOptions.enumValue.isDeprecated(options))
      values.append(EnumValueLayout(common: common, number: value.number))
      names.append((value.name, position))
      numbers.append((value.number, position))
    }
    try check(declaration.reservedNames, names)
    numbers.sort { ($0.number, $0.position) < ($1.number, $1.position) }
    let allowsAliases = pending.options.isTrue(2)
    var unique: [(number: Int32, position: Int)] = []
    for number in numbers {
      guard unique.last?.number == number.number else {
        unique.append(number)
        continue
      }
      guard allowsAliases else { throw .duplicateNumber(number.number) }
    }
    return EnumLayout(
      pending.common(declaration.name, .enumeration), values, names: NameTable(names), numbers: unique,
      reservedRanges: declaration.reservedRanges, reservedNames: declaration.reservedNames)
  }

  /// Sees to it that nothing has a name that was set aside.
  func check(_ reserved: [String], _ names: [(name: String, value: Int)]) throws(SchemaError.Code) {
    guard !reserved.isEmpty else { return }
    let table = NameTable(names)
    for name in reserved where table.find(Array(name.utf8).span) != nil { throw .reservedName }
  }
}

/// Tells whether a number lies in one of many ranges, which may overlap.
struct ReservedNumbers {
  /// Without overlaps, ascending.
  private var ranges: [NumberRange] = []

  init(_ ranges: [NumberRange]) {
    for range in ranges.sorted(by: { $0.first < $1.first }) {
      if let last = self.ranges.last, range.first <= last.last {
        self.ranges[self.ranges.count - 1].last = max(last.last, range.last)
      } else {
        self.ranges.append(range)
      }
    }
  }

  func contains(_ number: Int32) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].last < number { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(number)
  }
}
