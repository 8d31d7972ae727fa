// SPDX-License-Identifier: Apache-2.0

/// The way from a message to a field in it or in a message within, through singular fields alone: `user.address.city`.
///
/// Paths are equal where their fields are, by whatever names they were found.
public struct FieldPath: Hashable, Sendable {
  /// How many fields a path has at most; no more than messages may be nested in a schema.
  public static let lengthLimit = DescriptorPool.nestingLimit

  /// The message that the path begins at.
  public let message: MessageDescriptor
  /// The indexes of the fields in their messages' layouts; there is one at least.
  let indexes: [Int32]

  fileprivate init(_ message: MessageDescriptor, _ indexes: [Int32]) {
    self.message = message
    self.indexes = indexes
  }

  /// The fields, outermost first.
  public var fields: [FieldDescriptor] {
    var layout = message.layout
    var fields: [FieldDescriptor] = []
    for index in indexes {
      fields.append(FieldDescriptor(message.pool, layout.sortedFields[Int(index)]))
      if let inner = layout.slot(Int(index)).message { layout = inner }
    }
    return fields
  }

  /// The field that the path leads to.
  public var field: FieldDescriptor { fields[indexes.count - 1] }

  /// Whether the field that the path leads to is repeated; a map is, too.
  public var isRepeated: Bool { slot.flags.contains(.repeated) }

  /// What the field that the path leads to holds.
  public var type: FieldType { slot.type }

  private var slot: FieldSlot {
    var layout = message.layout
    for index in indexes.dropLast() {
      if let inner = layout.slot(Int(index)).message { layout = inner }
    }
    return layout.slot(Int(indexes[indexes.count - 1]))
  }

  /// Whether the path leads to a field, or to one within it.
  public func begins(with field: FieldDescriptor) -> Bool {
    field.containingMessage == message
      && message.layout.index(of: UInt32(bitPattern: field.number)) == Int(indexes[0])
  }

  /// The names that the schema has, with dots between them.
  public var text: String {
    var text = ""
    for field in fields { text += (text.isEmpty ? "" : ".") + field.name }
    return text
  }

  /// Whether both lead to the same field.
  public static func == (left: FieldPath, right: FieldPath) -> Bool {
    left.indexes == right.indexes && left.message == right.message
  }

  /// Paths of one message are told apart.
  public func hash(into hasher: inout Hasher) { hasher.combine(indexes) }
}

extension MessageDescriptor {
  /// The path of names with dots between them, each that of the schema or that in JSON; nil where there is no such
  /// field. Messages whose form in JSON is one of their own, such as timestamps, are values: no path leads into them.
  public func path(named names: ArraySlice<UInt8>) -> FieldPath? {
    var indexes: [Int32] = []
    var layout: MessageLayout? = layout
    var start = names.startIndex
    while start <= names.endIndex {
      var end = start
      while end < names.endIndex, names[end] != 0x2E { end += 1 }
      guard let message = layout, WellKnownType(message) == nil, indexes.count < FieldPath.lengthLimit,
        let index = message.names.find(names[start..<end].span)
      else { return nil }
      let slot = message.slot(index)
      guard !slot.field.isExtension else { return nil }
      indexes.append(slot.index)
      layout = slot.flags.contains(.repeated) ? nil : slot.message
      start = end + 1
    }
    return FieldPath(self, indexes)
  }

  /// The path of names with dots between them.
  public func path(named names: String) -> FieldPath? { path(named: Array(names.utf8)[...]) }

  /// Whether the message's form in JSON is one of its own, such as a timestamp's, and not an object of its fields.
  public var hasOwnJSONForm: Bool { WellKnownType(layout) != nil }
}
