// SPDX-License-Identifier: Apache-2.0

/// An enum.
public struct EnumDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let index: Int

  init(_ pool: DescriptorPool, _ index: Int) {
    self.pool = pool
    self.index = index
  }

  var layout: EnumLayout { pool.enumLayouts[index] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] { path(inFile: 5, inMessage: 4) }

  /// The message around it.
  public var parent: MessageDescriptor? {
    common.place.parent < 0 ? nil : MessageDescriptor(pool, common.place.parent)
  }
  /// Its values, in the order of the declaration.
  public var values: [EnumValueDescriptor] { layout.values.indices.map { EnumValueDescriptor(pool, index, $0) } }
  /// Whether a number that no value has is no value of a field: it goes to the message's unknown fields.
  public var isClosed: Bool { layout.isClosed }
  /// The numbers that no value may have.
  public var reservedRanges: [NumberRange] { layout.reservedRanges }
  /// The names that no value may have.
  public var reservedNames: [String] { layout.reservedNames }

  /// The first value of a number; others that have it are its aliases.
  public func value(numbered number: Int32) -> EnumValueDescriptor? {
    layout.position(of: number).map { EnumValueDescriptor(pool, index, $0) }
  }

  /// The value of a name.
  public func value(named name: String) -> EnumValueDescriptor? {
    layout.names.find(Array(name.utf8).span).map { EnumValueDescriptor(pool, index, $0) }
  }

  /// Whether both are handles of one declaration.
  public static func == (left: EnumDescriptor, right: EnumDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.index), (right.pool, right.index))
  }
}

/// A value of an enum.
public struct EnumValueDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let enumIndex: Int
  private let position: Int

  init(_ pool: DescriptorPool, _ enumIndex: Int, _ position: Int) {
    self.pool = pool
    self.enumIndex = enumIndex
    self.position = position
  }

  private var layout: EnumValueLayout { pool.enumLayouts[enumIndex].values[position] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] { enumeration.path + [2, Int32(truncatingIfNeeded: position)] }

  /// The number.
  public var number: Int32 { layout.number }
  /// The enum that it is of.
  public var enumeration: EnumDescriptor { EnumDescriptor(pool, enumIndex) }

  /// Whether both are handles of one declaration.
  public static func == (left: EnumValueDescriptor, right: EnumValueDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.enumIndex), (right.pool, right.enumIndex)) && left.position == right.position
  }
}
