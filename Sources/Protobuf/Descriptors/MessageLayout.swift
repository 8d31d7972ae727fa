// SPDX-License-Identifier: Apache-2.0

/// What decoding and encoding need to know of a field, and nothing else: values without references that count, side by
/// side in memory.
///
/// The references are to objects of the same pool, which lives as long as anybody who can reach a slot.
@safe struct FieldSlot {
  struct Flags: OptionSet {
    let rawValue: UInt8
    static let repeated = Flags(rawValue: 1)
    static let map = Flags(rawValue: 2)
    static let packed = Flags(rawValue: 4)
    static let presence = Flags(rawValue: 8)
    static let required = Flags(rawValue: 16)
    static let checksUTF8 = Flags(rawValue: 32)
    /// The type is an enum that keeps no number but its own.
    static let closed = Flags(rawValue: 64)
  }

  let number: Int32
  /// The tag of one value as a varint: the number and the type's wire type. A packed field has another one.
  let tag: UInt32
  let type: FieldType
  let flags: Flags
  /// The oneof's place in the message; negative where there is none, or none that has other members.
  let oneof: Int32
  /// The field's place in its message: that of this slot.
  let index: Int32
  private unowned(unsafe) let unownedField: FieldLayout
  private unowned(unsafe) let unownedMessage: MessageLayout?
  private unowned(unsafe) let unownedEnumeration: EnumLayout?

  /// A field's slot, with the layouts of its type.
  init(_ field: FieldLayout, index: Int, oneof: Int, message: MessageLayout?, enumeration: EnumLayout?) {
    number = field.number
    tag = UInt32(bitPattern: field.number) << 3 | UInt32(field.type.wireType)
    type = field.type
    self.oneof = Int32(truncatingIfNeeded: oneof)
    self.index = Int32(truncatingIfNeeded: index)
    var flags: Flags = []
    if field.cardinality == .repeated { flags.insert(.repeated) }
    if field.cardinality == .required { flags.insert(.required) }
    if field.isMap { flags.insert(.map) }
    if field.isPacked { flags.insert(.packed) }
    if field.hasPresence { flags.insert(.presence) }
    if field.checksUTF8 { flags.insert(.checksUTF8) }
    if enumeration?.isClosed == true { flags.insert(.closed) }
    self.flags = flags
    unsafe unownedField = field
    unsafe unownedMessage = message
    unsafe unownedEnumeration = enumeration
  }

  /// All that is known of the field.
  var field: FieldLayout { unsafe unownedField }
  /// The type, where it is a message; a map's is its entry, whose first slot is the key and whose second the value.
  var message: MessageLayout? { unsafe unownedMessage }
  /// The type, where it is an enum.
  var enumeration: EnumLayout? { unsafe unownedEnumeration }
}

/// A message.
///
/// Its fields, known extensions among them, are sorted by number; a field's place there is its *index*, by which
/// everything in a message goes.
@safe final class MessageLayout: @unchecked Sendable {
  let common: CommonLayout
  /// The place in the pool.
  let poolIndex: Int
  let isMapEntry: Bool
  /// Whether the message has the wire format of message sets: extensions alone, each a message in a group of its own
  /// beside its number. Such numbers go beyond those of tags.
  let isMessageSet: Bool
  let nestedMessages: [Int]
  let enums: [Int]
  let extensions: [Int]
  let oneofs: [OneofLayout]
  /// The message's own fields, in the order of the declaration.
  let declaredFields: [Int]
  /// All fields by number: the places in the pool of what the slots are of.
  let sortedFields: [Int]
  let extensionRanges: [NumberRange]
  let reservedRanges: [NumberRange]
  let reservedNames: [String]
  /// The indexes of fields by their names in JSON and, where these leave them free, by their own names; extensions by
  /// their full names in brackets.
  let names: NameTable
  /// The indexes of required fields.
  let requiredFields: [Int]
  /// Whether this message, or one within it however deep, has required fields.
  let reachesRequired: Bool

  /// How many fields there are.
  let fieldCount: Int
  // Memory of the layout's own, whose sizes stand beside it. Places in it come from the layout alone.
  private let slots: UnsafeMutablePointer<FieldSlot>
  /// For each number up to a bound its field's index and one; 0 where there is no field.
  private let indexes: UnsafeMutablePointer<UInt32>
  private let indexCount: UInt32

  /// A layout whose slots are set by ``link(_:_:)`` before anybody sees it.
  init(
    _ common: CommonLayout, poolIndex: Int, isMapEntry: Bool, isMessageSet: Bool, nestedMessages: [Int], enums: [Int],
    extensions: [Int], oneofs: [OneofLayout], declaredFields: [Int], sortedFields: [Int], numbers: [Int32],
    extensionRanges: [NumberRange],
    reservedRanges: [NumberRange], reservedNames: [String], names: NameTable, requiredFields: [Int],
    reachesRequired: Bool
  ) {
    self.common = common
    self.poolIndex = poolIndex
    self.isMapEntry = isMapEntry
    self.isMessageSet = isMessageSet
    self.nestedMessages = nestedMessages
    self.enums = enums
    self.extensions = extensions
    self.oneofs = oneofs
    self.declaredFields = declaredFields
    self.sortedFields = sortedFields
    self.extensionRanges = extensionRanges
    self.reservedRanges = reservedRanges
    self.reservedNames = reservedNames
    self.names = names
    self.requiredFields = requiredFields
    self.reachesRequired = reachesRequired
    fieldCount = numbers.count
    unsafe slots = .allocate(capacity: numbers.count)
    // The table grows with the number of fields, not with their numbers, which a schema chooses.
    let bound = min(Int(numbers.last ?? 0) + 1, max(64, numbers.count * 4))
    indexCount = UInt32(truncatingIfNeeded: bound)
    unsafe indexes = .allocate(capacity: bound)
    unsafe indexes.initialize(repeating: 0, count: bound)
    for (index, number) in numbers.enumerated() where Int(number) < bound {
      unsafe indexes[Int(number)] = UInt32(truncatingIfNeeded: index + 1)
    }
  }

  /// Sets the slots, in the order of their indexes, one for each field.
  func link(_ make: (_ index: Int) -> FieldSlot) {
    for index in 0..<fieldCount { unsafe (slots + index).initialize(to: make(index)) }
  }

  deinit {
    // A slot has nothing that counts.
    unsafe slots.deallocate()
    unsafe indexes.deallocate()
  }

  /// The slot of an index, which is that of a field of this layout.
  @inline(__always)
  func slot(_ index: Int) -> FieldSlot {
    assert(index >= 0 && index < fieldCount)
    return unsafe slots[index]
  }

  /// The index of a field number; negative where there is no such field.
  @inline(__always)
  func index(of number: UInt32) -> Int {
    if number < indexCount { return unsafe Int(indexes[Int(number)]) - 1 }
    return search(number)
  }

  private func search(_ number: UInt32) -> Int {
    var low = 0
    var high = fieldCount
    while low < high {
      let middle = (low + high) / 2
      if UInt32(bitPattern: slot(middle).number) < number { low = middle + 1 } else { high = middle }
    }
    return low < fieldCount && UInt32(bitPattern: slot(low).number) == number ? low : -1
  }
}
