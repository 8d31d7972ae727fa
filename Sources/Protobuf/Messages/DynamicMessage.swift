// SPDX-License-Identifier: Apache-2.0

/// A message whose type is known at run time alone.
///
/// Two messages are equal where their types and contents are, to the bit: a NaN equals itself, unknown fields count.
public struct DynamicMessage: Equatable, Sendable {
  /// The type.
  public let type: MessageDescriptor
  var storage: MessageStorage

  init(_ storage: MessageStorage, _ type: MessageDescriptor) {
    self.storage = storage
    self.type = type
  }

  /// A message in which nothing is set.
  public init(_ type: MessageDescriptor) { self.init(MessageStorage(), type) }

  /// Decodes a message. Its strings and bytes keep `bytes` alive.
  ///
  /// A field that the type does not know, or of another wire type than its own, is kept as it is. A message that lacks
  /// a required field is refused unless `allowsMissingRequired` says otherwise.
  public init(
    decoding bytes: ArraySlice<UInt8>, as type: MessageDescriptor, limits: MessageLimits = MessageLimits(),
    allowsMissingRequired: Bool = false
  ) throws(MessageError) {
    let layout = type.layout
    let storage = try MessageDecoder.decode(bytes, layout, limits)
    if !allowsMissingRequired { try storage.checkRequired(layout, limits.depth) }
    self.init(storage, type)
  }

  /// Decodes a message that is a whole array.
  public init(
    decoding bytes: [UInt8], as type: MessageDescriptor, limits: MessageLimits = MessageLimits(),
    allowsMissingRequired: Bool = false
  ) throws(MessageError) {
    try self.init(decoding: bytes[...], as: type, limits: limits, allowsMissingRequired: allowsMissingRequired)
  }

  /// Encodes the message and appends it: fields by number, maps by key, unknown fields last. The same message always
  /// gives the same bytes. An error leaves `bytes` as they were.
  ///
  /// Messages within it nest `depthLimit` deep at most: nobody decodes deeper ones. A message that lacks a required
  /// field is refused unless `allowsMissingRequired` says otherwise.
  public func encode(
    into bytes: inout [UInt8], depthLimit: Int = WireReader.defaultDepthLimit, allowsMissingRequired: Bool = false
  ) throws(MessageError) {
    let layout = type.layout
    if !allowsMissingRequired { try storage.checkRequired(layout, depthLimit) }
    try MessageEncoder.encode(storage, layout, depthLimit: depthLimit, into: &bytes)
  }

  /// Sees to it that every required field is set, in the messages within too, which nest `depthLimit` deep at most.
  public func checkRequired(depthLimit: Int = WireReader.defaultDepthLimit) throws(MessageError) {
    try storage.checkRequired(type.layout, depthLimit)
  }

  // MARK: - Fields

  /// The fields that are set, extensions among them, by number.
  public var setFields: [FieldDescriptor] {
    let layout = type.layout
    return storage.entries.map { FieldDescriptor(type.pool, layout.sortedFields[Int($0.index)]) }
  }

  /// The unknown fields as they came, one behind the other; empty where there are none.
  public var unknownFields: [UInt8] { storage.unknown }

  /// Removes the unknown fields of the message itself; those within keep theirs.
  public mutating func clearUnknownFields() { storage.unknown = [] }

  /// Whether a field is set: whether a list or a map holds anything, or a field without presence another value than
  /// zero.
  public func has(_ field: FieldDescriptor) throws(MessageError) -> Bool {
    storage.place(of: try slot(field).index) != nil
  }

  /// A field's value, or its default where it is not set: for a message, one in which nothing is set.
  public func get(_ field: FieldDescriptor) throws(MessageError) -> DynamicValue {
    let slot = try slot(field)
    if let value = storage.value(at: slot.index) { return DynamicValue(value, slot, type.pool) }
    return slot.flags.contains(.map)
      ? .map([]) : slot.flags.contains(.repeated) ? .list([]) : DynamicValue(slot.emptyValue, slot, type.pool)
  }

  /// Sets a field, and clears the others of its oneof. An empty list or map, and zero in a field without presence,
  /// clear the field. An error leaves the message as it was.
  ///
  /// How deep messages nest is looked at when they are encoded or written as JSON, not here.
  public mutating func set(_ value: DynamicValue, for field: FieldDescriptor) throws(MessageError) {
    let slot = try slot(field)
    let stored: Value
    do throws(MessageError) { stored = try value.stored(slot, type.pool) } catch { throw error.within(slot.field) }
    storage.set(stored, slot)
  }

  /// Clears a field.
  public mutating func clear(_ field: FieldDescriptor) throws(MessageError) {
    storage.clear(try slot(field).index)
  }

  /// The field of a oneof that is set.
  public func field(setIn oneof: OneofDescriptor) throws(MessageError) -> FieldDescriptor? {
    guard oneof.parent == type else { throw MessageError(.foreignField, path: oneof.fullName) }
    for field in oneof.fields where try has(field) { return field }
    return nil
  }

  /// The slot of a field of this type.
  private func slot(_ field: FieldDescriptor) throws(MessageError) -> FieldSlot {
    let layout = type.layout
    guard field.containingMessage == type else { throw MessageError(.foreignField, path: field.fullName) }
    return layout.slot(layout.index(of: UInt32(bitPattern: field.number)))
  }
}

extension FieldDescriptor {
  /// The value of the field where it is not set: zero or empty unless its declaration says otherwise, a closed enum's
  /// first value; nil for lists, maps and messages.
  public var defaultValue: DynamicValue? {
    switch layout.defaultValue {
    case .scalar(let bits): DynamicValue(bits: bits, type)
    case .bytes(let bytes): DynamicValue(bytes[...], type)
    case .none: nil
    }
  }
}

extension Descriptor {
  /// The declaration's options as a message, extensions that the pool knows among its fields; nil where the pool has no
  /// `google/protobuf/descriptor.proto`.
  public func decodedOptions() throws(MessageError) -> DynamicMessage? {
    guard let type = pool.message(named: options.type) else { return nil }
    return try DynamicMessage(decoding: options.bytes, as: type, allowsMissingRequired: true)
  }

  /// The value of one option by its field number, such as 72295728 for `google.api.http` of a method; nil where it is
  /// not set, and where the pool does not know the option: its bytes are in ``options`` all the same.
  public func option(numbered number: Int32) throws(MessageError) -> DynamicValue? {
    guard let options = try decodedOptions(), let field = options.type.field(numbered: number) else { return nil }
    return try options.has(field) ? options.get(field) : nil
  }
}
