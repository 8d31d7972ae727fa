// SPDX-License-Identifier: Apache-2.0

/// A field, or an extension.
public struct FieldDescriptor: DeclaredDescriptor {
  /// The pool.
  public let pool: DescriptorPool
  private let index: Int

  init(_ pool: DescriptorPool, _ index: Int) {
    self.pool = pool
    self.index = index
  }

  var layout: FieldLayout { pool.fieldLayouts[index] }
  var common: CommonLayout { layout.common }

  /// Its place in its file, as `google.protobuf.SourceCodeInfo.Location` has it.
  public var path: [Int32] {
    layout.isExtension ? path(inFile: 7, inMessage: 6) : path(inFile: 7, inMessage: 2)
  }

  /// The field number, 1 to 2^29 - 1.
  public var number: Int32 { layout.number }
  /// What it holds.
  public var type: FieldType { layout.type }
  /// How many values it has.
  public var cardinality: FieldCardinality { layout.cardinality }
  /// The name in JSON, as the descriptor has it or as it is derived from the name.
  public var jsonName: String { layout.jsonName }
  /// Whether it is a map, whose type is the message of its entries.
  public var isMap: Bool { layout.isMap }
  /// Whether "not set" differs from the default value.
  public var hasPresence: Bool { layout.hasPresence }
  /// Whether it is a repeated one that is written packed.
  public var isPacked: Bool { layout.isPacked }
  /// Whether it is an extension.
  public var isExtension: Bool { layout.isExtension }
  /// The message that it is a field of: for an extension, the one that it extends.
  public var containingMessage: MessageDescriptor { MessageDescriptor(pool, layout.container) }
  /// The message that an extension is declared in; nil for one that stands in its file.
  public var scope: MessageDescriptor? {
    common.place.parent < 0 ? nil : MessageDescriptor(pool, common.place.parent)
  }
  /// The type, where it is a message.
  public var message: MessageDescriptor? { layout.message < 0 ? nil : MessageDescriptor(pool, layout.message) }
  /// The type, where it is an enum.
  public var enumeration: EnumDescriptor? {
    layout.enumeration < 0 ? nil : EnumDescriptor(pool, layout.enumeration)
  }
  /// The oneof that it is in, also one that proto3 made for it.
  public var oneof: OneofDescriptor? {
    layout.oneof < 0 ? nil : OneofDescriptor(pool, layout.container, layout.oneof)
  }

  /// Whether both are handles of one declaration.
  public static func == (left: FieldDescriptor, right: FieldDescriptor) -> Bool {
    DescriptorPool.same((left.pool, left.index), (right.pool, right.index))
  }
}
