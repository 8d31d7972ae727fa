// SPDX-License-Identifier: Apache-2.0

/// The options of one declaration, as they stand in the descriptor.
public struct DescriptorOptions: Equatable, Sendable {
  /// The serialized options message; empty where there is none.
  public let bytes: ArraySlice<UInt8>
  /// The full name of the options message.
  public let type: String

  /// Options of bytes that are a message, which is seen to here: asking never fails.
  init(checking bytes: ArraySlice<UInt8>, _ common: CommonOptions) throws(SchemaError.Code) {
    self.bytes = bytes
    type = common.type
    var reader = DeclarationReader(bytes)
    do throws(DeclarationFault) { while try reader.next() != nil {} } catch { throw SchemaError.Code(error) }
  }

  /// The values of an option, by its field number, in the order of the descriptor. An option that takes one value has
  /// that of the last; where it is a message, all of them together.
  public func values(of number: Int) -> [WireValue] {
    var values: [WireValue] = []
    var reader = WireReader(bytes)
    while let field = (try? reader.next()) ?? nil {
      if field.number == number { values.append(field.value) }
    }
    return values
  }

  /// The integer, boolean and enum options, by their numbers.
  func varints() -> [(number: Int, value: UInt64)] {
    var found: [(number: Int, value: UInt64)] = []
    var reader = WireReader(bytes)
    while let field = (try? reader.next()) ?? nil {
      if case .varint(let value) = field.value { found.append((field.number, value)) }
    }
    return found
  }

  /// The value of an integer, boolean or enum option.
  func varint(_ number: Int) -> UInt64? { varints().last { $0.number == number }?.value }

  /// Whether a boolean option is set and true.
  func isTrue(_ number: Int) -> Bool { varint(number) ?? 0 != 0 }
}

/// The options message of one kind of declaration, and where in it the options stand that every kind has.
struct CommonOptions {
  /// The full name of the message.
  let type: String
  /// The field number of `features`.
  let features: Int
  /// The field number of `deprecated`; nil for what cannot be.
  var deprecated: Int?
  /// The number of `google.protobuf.FieldOptions.OptionTargetType`.
  var target: UInt64 = 0

  static let file = CommonOptions(type: "google.protobuf.FileOptions", features: 50, deprecated: 23, target: 1)
  static let extensionRange = CommonOptions(type: "google.protobuf.ExtensionRangeOptions", features: 50, target: 2)
  static let message = CommonOptions(type: "google.protobuf.MessageOptions", features: 12, deprecated: 3, target: 3)
  static let field = CommonOptions(type: "google.protobuf.FieldOptions", features: 21, deprecated: 3, target: 4)
  static let oneof = CommonOptions(type: "google.protobuf.OneofOptions", features: 1, target: 5)
  static let enumeration = CommonOptions(type: "google.protobuf.EnumOptions", features: 7, deprecated: 3, target: 6)
  static let enumValue = CommonOptions(
    type: "google.protobuf.EnumValueOptions", features: 2, deprecated: 1, target: 7)
  static let service = CommonOptions(type: "google.protobuf.ServiceOptions", features: 34, deprecated: 33, target: 8)
  static let method = CommonOptions(type: "google.protobuf.MethodOptions", features: 35, deprecated: 33, target: 9)

  /// What stands in the features of any of them.
  static let featureSet = CommonOptions(type: "google.protobuf.FeatureSet", features: 0)

  func isDeprecated(_ options: DescriptorOptions) -> Bool { deprecated.map { options.isTrue($0) } ?? false }
}
