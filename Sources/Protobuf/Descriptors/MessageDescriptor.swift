// SPDX-License-Identifier: Apache-2.0

/// A message.
public struct MessageDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let index: Int

  init(_ pool: DescriptorPool, _ index: Int) {
    self.pool = pool
    self.index = index
  }

  var layout: MessageLayout { pool.messageLayouts[index] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] { path(inFile: 4, inMessage: 3) }

  /// The message around it.
  public var parent: MessageDescriptor? {
    common.place.parent < 0 ? nil : MessageDescriptor(pool, common.place.parent)
  }
  /// Its fields, in the order of the declaration.
  public var fields: [FieldDescriptor] { layout.declaredFields.map { FieldDescriptor(pool, $0) } }
  /// Its oneofs, in the order of the declaration; those that proto3 makes for optional fields stand last.
  public var oneofs: [OneofDescriptor] { layout.oneofs.indices.map { OneofDescriptor(pool, index, $0) } }
  /// The messages within it, the entries of its maps among them.
  public var messages: [MessageDescriptor] { layout.nestedMessages.map { MessageDescriptor(pool, $0) } }
  /// The enums within it.
  public var enums: [EnumDescriptor] { layout.enums.map { EnumDescriptor(pool, $0) } }
  /// The extensions that are declared within it; they extend any message.
  public var extensions: [FieldDescriptor] { layout.extensions.map { FieldDescriptor(pool, $0) } }
  /// The extensions of this message that the pool has, by number.
  public var knownExtensions: [FieldDescriptor] {
    layout.sortedFields.filter { pool.fieldLayouts[$0].isExtension }.map { FieldDescriptor(pool, $0) }
  }
  /// The numbers that extensions may have.
  public var extensionRanges: [NumberRange] { layout.extensionRanges }
  /// The numbers that no field may have.
  public var reservedRanges: [NumberRange] { layout.reservedRanges }
  /// The names that no field may have.
  public var reservedNames: [String] { layout.reservedNames }
  /// Whether it is the entry of a map, which has a key and a value and stands in no schema's text.
  public var isMapEntry: Bool { layout.isMapEntry }
  /// Whether it is a message set: a message of extensions alone, with a wire format of its own.
  public var isMessageSet: Bool { layout.isMessageSet }

  /// The field, or the extension that the pool has, of a number.
  public func field(numbered number: Int32) -> FieldDescriptor? {
    let place = layout.index(of: UInt32(bitPattern: number))
    return place < 0 ? nil : FieldDescriptor(pool, layout.sortedFields[place])
  }

  /// The field of a name.
  public func field(named name: String) -> FieldDescriptor? {
    guard case .field(let field) = pool.symbol(named: fullName + "." + name), !field.isExtension else { return nil }
    return field
  }

  /// The field that a JSON document means by a name: a field's name in JSON, or its own, or an extension's full name in
  /// brackets.
  public func field(jsonName name: String) -> FieldDescriptor? {
    layout.names.find(Array(name.utf8).span).map { FieldDescriptor(pool, layout.sortedFields[$0]) }
  }

  /// Whether both are handles of one declaration.
  public static func == (left: MessageDescriptor, right: MessageDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.index), (right.pool, right.index))
  }
}

/// A oneof.
public struct OneofDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let message: Int
  private let position: Int

  init(_ pool: DescriptorPool, _ message: Int, _ position: Int) {
    self.pool = pool
    self.message = message
    self.position = position
  }

  private var layout: OneofLayout { pool.messageLayouts[message].oneofs[position] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] { MessageDescriptor(pool, message).path + [8, Int32(truncatingIfNeeded: position)] }

  /// The message that it is of.
  public var parent: MessageDescriptor { MessageDescriptor(pool, message) }
  /// Its fields, in the order of the declaration.
  public var fields: [FieldDescriptor] { layout.fields.map { FieldDescriptor(pool, $0) } }
  /// Whether proto3 made it for an optional field, and no schema's text has it.
  public var isSynthetic: Bool { layout.isSynthetic }

  /// Whether both are handles of one declaration.
  public static func == (left: OneofDescriptor, right: OneofDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.message), (right.pool, right.message)) && left.position == right.position
  }
}
