// SPDX-License-Identifier: Apache-2.0

/// What a declaration means, whichever way its file says so: by `syntax`, by `edition`, or by features of its own.
///
/// Each file starts from its edition's defaults; each declaration inherits from what it stands in.
public struct Features: Equatable, Sendable {
  /// Whether a singular field tells "not set" from its default.
  public enum Presence: UInt8, Sendable {
    /// It does.
    case explicit = 1
    /// It does not: the default is never written.
    case implicit = 2
    /// It does, and must be set.
    case required = 3
  }

  /// What becomes of an enum's value that the schema does not know.
  public enum EnumType: UInt8, Sendable {
    /// It is kept as a number.
    case open = 1
    /// It goes to the unknown fields.
    case closed = 2
  }

  /// How a repeated field of numbers is written. Both ways are read.
  public enum RepeatedEncoding: UInt8, Sendable {
    /// In one field.
    case packed = 1
    /// In a field each.
    case expanded = 2
  }

  /// Whether a string must be UTF-8.
  public enum UTF8Validation: UInt8, Sendable {
    /// It must.
    case verify = 2
    /// Nobody looks.
    case none = 3
  }

  /// How a message within a message is written.
  public enum MessageEncoding: UInt8, Sendable {
    /// Behind its length.
    case lengthPrefixed = 1
    /// Between the two tags of a group.
    case delimited = 2
  }

  /// What JSON is to the declaration.
  public enum JSONFormat: UInt8, Sendable {
    /// Names in JSON are unique.
    case allow = 1
    /// They need not be.
    case legacyBestEffort = 2
  }

  /// Whether a singular field tells "not set" from its default.
  public internal(set) var presence: Presence
  /// What becomes of an enum's value that the schema does not know.
  public internal(set) var enumType: EnumType
  /// How a repeated field of numbers is written.
  public internal(set) var repeatedEncoding: RepeatedEncoding
  /// Whether a string must be UTF-8.
  public internal(set) var utf8Validation: UTF8Validation
  /// How a message within a message is written.
  public internal(set) var messageEncoding: MessageEncoding
  /// What JSON is to the declaration.
  public internal(set) var jsonFormat: JSONFormat

  /// An edition's defaults. Those of 2024 are those of 2023 as far as anything here depends on them.
  init(edition: Edition) {
    let isProto2 = edition == .proto2
    presence = edition == .proto3 ? .implicit : .explicit
    enumType = isProto2 ? .closed : .open
    repeatedEncoding = isProto2 ? .expanded : .packed
    utf8Validation = isProto2 ? .none : .verify
    messageEncoding = .lengthPrefixed
    jsonFormat = isProto2 ? .legacyBestEffort : .allow
  }

  /// These features with those that a declaration's own options set.
  func refined(by options: DescriptorOptions, _ common: CommonOptions, _ edition: Edition) throws(SchemaError.Code)
    -> Features
  {
    guard !options.bytes.isEmpty else { return self }
    var features = self
    for value in options.values(of: common.features) {
      guard case .bytes(let content) = value else { continue }
      guard edition.hasFeatures else { throw .invalid("features are for editions alone") }
      for (number, value) in try DescriptorOptions(checking: content, .featureSet).varints() {
        try features.set(number, UInt8(exactly: value) ?? 0)
      }
    }
    return features
  }

  /// Sets a field of `google.protobuf.FeatureSet`; the features of a language's own are passed over.
  private mutating func set(_ number: Int, _ value: UInt8) throws(SchemaError.Code) {
    func known<Value>(_ value: Value?, _ name: String) throws(SchemaError.Code) -> Value {
      guard let value else { throw .invalidFeature(name) }
      return value
    }
    switch number {
    case 1: presence = try known(Presence(rawValue: value), "field_presence")
    case 2: enumType = try known(EnumType(rawValue: value), "enum_type")
    case 3: repeatedEncoding = try known(RepeatedEncoding(rawValue: value), "repeated_field_encoding")
    case 4: utf8Validation = try known(UTF8Validation(rawValue: value), "utf8_validation")
    case 5: messageEncoding = try known(MessageEncoding(rawValue: value), "message_encoding")
    case 6: jsonFormat = try known(JSONFormat(rawValue: value), "json_format")
    default: break
    }
  }
}

/// Which rules a file is written in; the numbers are those of `google.protobuf.Edition`.
public enum Edition: Int32, Comparable, Sendable {
  /// `syntax = "proto2"`, or none.
  case proto2 = 998
  /// `syntax = "proto3"`
  case proto3 = 999
  /// `edition = "2023"`
  case edition2023 = 1000
  /// `edition = "2024"`
  case edition2024 = 1001

  /// Whether declarations may set features.
  var hasFeatures: Bool { self >= .edition2023 }

  /// The older edition is the smaller one.
  public static func < (left: Edition, right: Edition) -> Bool { left.rawValue < right.rawValue }
}
