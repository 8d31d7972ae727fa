// SPDX-License-Identifier: Apache-2.0

internal import JSON

// Protobuf's canonical mapping to JSON, straight between documents and contents of messages.

extension DynamicMessage {
  /// Reads a message from its form in JSON. Its strings keep `json` alive.
  ///
  /// Fields are found by their names in lowerCamelCase and by those of the schema. A field of any kind may be `null`,
  /// which is the same as its absence, but where `null` is a value. A message that lacks a required field is refused.
  public init(
    json: ArraySlice<UInt8>, as type: MessageDescriptor, options: JSONReadingOptions = JSONReadingOptions()
  ) throws(MappingError) {
    let layout = type.layout
    let storage = try MessageReader.read(json, type.pool, options) {
      reader, token throws(MessageReader.Fault) -> MessageStorage in
      let storage = try reader.message(layout, token, depth: 0)
      if options.allowsMissingRequired { return storage }
      do throws(MessageError) { try storage.checkRequired(layout, options.limits.depth) } catch {
        throw .message(error)
      }
      return storage
    }
    self.init(storage, type)
  }

  /// Reads one field from the form of its value in JSON, and sets it: another value that it has, of whatever kind, is
  /// replaced, and the other fields of its oneof are cleared. `null` clears the field, but where `null` is a value.
  ///
  /// Required fields are looked at within the value alone. An error leaves the message as it was.
  public mutating func merge(
    json: ArraySlice<UInt8>, at field: FieldDescriptor, options: JSONReadingOptions = JSONReadingOptions()
  ) throws(MappingError) {
    let slot = try mappedSlot(field)
    let value = try MessageReader.read(json, type.pool, options) {
      reader, token throws(MessageReader.Fault) -> Value? in
      if token == .null, slot.flags.contains(.repeated) || !slot.takesNull { return nil }
      guard let value = try reader.value(slot, token, 0) else { return nil }
      if options.allowsMissingRequired { return value }
      do throws(MessageError) { try value.checkRequired(slot, options.limits.depth) } catch { throw .message(error) }
      return value
    }
    if let value { storage.set(value, slot) } else { storage.clear(slot.index) }
  }

  /// Appends the message's form in JSON. Fields come by number, keys of maps in their order. Unknown fields have no
  /// form in JSON. An error leaves `bytes` as they were.
  public func writeJSON(
    into bytes: inout [UInt8], options: JSONWritingOptions = JSONWritingOptions()
  ) throws(MappingError) {
    let layout = type.layout
    do throws(MessageError) { try storage.checkRequired(layout, options.depth) } catch { throw MappingError(error) }
    try MessageWriter.write(into: &bytes, type.pool, options) { writer throws(MappingError) in
      try writer.message(storage, layout, depth: 0)
    }
  }

  /// Appends the form of one field's value. A field that is not set has its default's, a message `null`.
  public func writeJSON(
    of field: FieldDescriptor, into bytes: inout [UInt8], options: JSONWritingOptions = JSONWritingOptions()
  ) throws(MappingError) {
    let slot = try mappedSlot(field)
    let value = storage.value(at: slot.index)
    do throws(MessageError) { try value?.checkRequired(slot, options.depth) } catch { throw MappingError(error) }
    try MessageWriter.write(into: &bytes, type.pool, options) { writer throws(MappingError) in
      if let value { try writer.value(value, slot, 0) } else { try writer.unset(slot, 0) }
    }
  }

  /// The slot of a field of this type.
  private func mappedSlot(_ field: FieldDescriptor) throws(MappingError) -> FieldSlot {
    let layout = type.layout
    guard field.containingMessage == type else { throw MappingError(.foreignField, path: field.fullName) }
    return layout.slot(layout.index(of: UInt32(bitPattern: field.number)))
  }
}
