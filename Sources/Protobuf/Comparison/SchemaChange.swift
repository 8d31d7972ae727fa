// SPDX-License-Identifier: Apache-2.0

/// Something in which a newer schema is not compatible with an older one.
public struct SchemaChange: Equatable, Sendable {
  /// What does not fit together any more.
  public struct Breaks: OptionSet, Sendable {
    /// The set as bits.
    public let rawValue: UInt8
    /// A set of bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Bytes that one side writes are something else to the other, or lost.
    public static let wire = Breaks(rawValue: 1)
    /// The same of JSON documents.
    public static let json = Breaks(rawValue: 2)
    /// Either.
    public static let both: Breaks = [.wire, .json]
  }

  /// What has changed. The raw value is the stable name in machine-readable output.
  public enum Kind: String, Sendable {
    /// A service is gone.
    case serviceRemoved = "SERVICE_REMOVED"
    /// A method is gone.
    case methodRemoved = "METHOD_REMOVED"
    /// A method takes or gives another message.
    case methodTypeChanged = "METHOD_TYPE_CHANGED"
    /// A side of a method streams that did not, or the other way round.
    case methodStreamingChanged = "METHOD_STREAMING_CHANGED"
    /// A field is gone, and its number or its name may be given to another one.
    case fieldRemoved = "FIELD_REMOVED"
    /// A field has another number.
    case fieldNumberChanged = "FIELD_NUMBER_CHANGED"
    /// A field holds something else.
    case fieldTypeChanged = "FIELD_TYPE_CHANGED"
    /// A field holds one value that held many, or the other way round.
    case fieldCardinalityChanged = "FIELD_CARDINALITY_CHANGED"
    /// JSON documents have the field under another name.
    case fieldJSONNameChanged = "FIELD_JSON_NAME_CHANGED"
    /// A field must be there that had not to be, or the other way round.
    case fieldRequirednessChanged = "FIELD_REQUIREDNESS_CHANGED"
    /// A field went into a oneof, or came out of one.
    case fieldOneofChanged = "FIELD_ONEOF_CHANGED"
    /// A field that is not set means something else.
    case fieldDefaultChanged = "FIELD_DEFAULT_CHANGED"
    /// A number or a name that must not be used again may be.
    case reservationRemoved = "RESERVATION_REMOVED"
    /// A value of an enum is gone, and its number or its name may be given to another one.
    case enumValueRemoved = "ENUM_VALUE_REMOVED"
    /// A value of an enum has another name.
    case enumValueRenamed = "ENUM_VALUE_RENAMED"
    /// An enum keeps unknown numbers that did not, or the other way round.
    case enumOpennessChanged = "ENUM_OPENNESS_CHANGED"
  }

  /// What has changed.
  public let kind: Kind
  /// The full name of what has changed, as the older schema has it.
  public let element: String
  /// What does not fit together any more.
  public let breaks: Breaks
  /// What was, and what is, in words, without a full stop.
  public let text: String
}
