// SPDX-License-Identifier: Apache-2.0

/// The options of one declaration, as they stand in the descriptor.
public struct DescriptorOptions: Equatable, Sendable {
  /// The serialized options message; empty where there is none.
  public let bytes: ArraySlice<UInt8>

  /// Options of bytes that are a message, which is seen to here: asking never fails.
  init(checking bytes: ArraySlice<UInt8>) throws(SchemaError.Code) {
    self.bytes = bytes
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

/// Where the options that every kind of declaration has stand in its own options message.
struct CommonOptions {
  /// The field number of `features`.
  let features: Int
  /// The field number of `deprecated`; nil for what cannot be.
  let deprecated: Int?

  static let file = CommonOptions(features: 50, deprecated: 23)
  static let message = CommonOptions(features: 12, deprecated: 3)
  static let field = CommonOptions(features: 21, deprecated: 3)
  static let oneof = CommonOptions(features: 1, deprecated: nil)
  static let enumeration = CommonOptions(features: 7, deprecated: 3)
  static let enumValue = CommonOptions(features: 2, deprecated: 1)
  static let service = CommonOptions(features: 34, deprecated: 33)
  static let method = CommonOptions(features: 35, deprecated: 33)

  func isDeprecated(_ options: DescriptorOptions) -> Bool { deprecated.map { options.isTrue($0) } ?? false }
}
