// SPDX-License-Identifier: Apache-2.0

// Layouts: what a pool knows of each declaration once everything is linked. They never change then. Those of one kind
// stand in one array of the pool and name each other by their places in it: `Int`, negative for none.

/// Where a declaration stands.
struct Place: Sendable {
  /// The file.
  let file: Int
  /// The message around it, negative where it stands in the file itself.
  let parent: Int
  /// Its place among its parent's declarations of the same kind.
  let position: Int
}

/// What all declarations have.
struct CommonLayout: Sendable {
  let name: String
  let fullName: String
  let place: Place
  let features: Features
  let options: DescriptorOptions
  let isDeprecated: Bool
}

struct FileLayout: Sendable {
  let name: String
  let package: String
  let edition: Edition
  let features: Features
  let options: DescriptorOptions
  let imports: [Int]
  let publicImports: [Int]
  let messages: [Int]
  let enums: [Int]
  let services: [Int]
  let extensions: [Int]
  let sourceInfo: ArraySlice<UInt8>
}

struct OneofLayout: Sendable {
  let common: CommonLayout
  /// The fields' places in the pool, in the order of the declaration.
  let fields: [Int]
  let isSynthetic: Bool
}

struct EnumValueLayout: Sendable {
  let common: CommonLayout
  let number: Int32
}

struct ServiceLayout: Sendable {
  let common: CommonLayout
  let methods: [Int]
}

struct MethodLayout: Sendable {
  let common: CommonLayout
  let service: Int
  let input: Int
  let output: Int
  let isClientStreaming: Bool
  let isServerStreaming: Bool
}

/// A field, or an extension.
final class FieldLayout: Sendable {
  let common: CommonLayout
  let number: Int32
  let type: FieldType
  let cardinality: FieldCardinality
  /// The name in JSON as the descriptor has it or as it is derived.
  let jsonName: String
  let isExtension: Bool
  let isMap: Bool
  let isPacked: Bool
  let hasPresence: Bool
  let checksUTF8: Bool
  /// The message that the field is of: for an extension, the one that it extends.
  let container: Int
  /// The type, where it is a message.
  let message: Int
  /// The type, where it is an enum.
  let enumeration: Int
  /// The oneof's place in its message.
  let oneof: Int
  /// The default value of a singular field that is no message, as decoding would leave it; zero or empty unless the
  /// descriptor says otherwise.
  let defaultValue: DefaultValue

  /// The name by which JSON documents have the field: an extension's full name stands in brackets.
  var jsonKey: String { isExtension ? "[" + common.fullName + "]" : jsonName }

  init(
    _ common: CommonLayout, number: Int32, type: FieldType, cardinality: FieldCardinality, jsonName: String,
    isExtension: Bool, isMap: Bool, hasPresence: Bool, container: Int, message: Int, enumeration: Int, oneof: Int,
    defaultValue: DefaultValue
  ) {
    self.common = common
    self.number = number
    self.type = type
    self.cardinality = cardinality
    self.jsonName = jsonName
    self.isExtension = isExtension
    self.isMap = isMap
    self.hasPresence = hasPresence
    self.container = container
    self.message = message
    self.enumeration = enumeration
    self.oneof = oneof
    self.defaultValue = defaultValue
    isPacked = cardinality == .repeated && type.isPackable && common.features.repeatedEncoding == .packed
    checksUTF8 = type == .string && common.features.utf8Validation == .verify
  }
}

/// An enum.
final class EnumLayout: Sendable {
  let common: CommonLayout
  let values: [EnumValueLayout]
  let reservedRanges: [NumberRange]
  let reservedNames: [String]
  /// The places of values by their names, as bytes.
  let names: NameTable
  /// The distinct numbers, ascending, and the place of the first value that has each.
  private let numbers: [(number: Int32, position: Int)]
  /// Whether the numbers are without a gap, so that a number's place is told without a search.
  private let isDense: Bool

  init(
    _ common: CommonLayout, _ values: [EnumValueLayout], names: NameTable, numbers: [(number: Int32, position: Int)],
    reservedRanges: [NumberRange], reservedNames: [String]
  ) {
    self.common = common
    self.values = values
    self.names = names
    self.numbers = numbers
    self.reservedRanges = reservedRanges
    self.reservedNames = reservedNames
    isDense = numbers.isEmpty || Int(numbers[numbers.count - 1].number) - Int(numbers[0].number) == numbers.count - 1
  }

  var isClosed: Bool { common.features.enumType == .closed }

  /// The place of the first value with a number.
  func position(of number: Int32) -> Int? {
    guard let first = numbers.first else { return nil }
    if isDense {
      let index = Int(number) - Int(first.number)
      return index >= 0 && index < numbers.count ? numbers[index].position : nil
    }
    var low = 0
    var high = numbers.count
    while low < high {
      let middle = (low + high) / 2
      if numbers[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < numbers.count && numbers[low].number == number ? numbers[low].position : nil
  }
}

/// What a field has where nothing is set.
enum DefaultValue: Sendable {
  /// The bits of a number, a boolean or an enum's number, as ``Value`` has them.
  case scalar(UInt64)
  /// Text or bytes.
  case bytes([UInt8])
  /// A message or a repeated field: nothing.
  case none
}
