// SPDX-License-Identifier: Apache-2.0

/// The options that the language itself has, for schemas that do not bring a `google/protobuf/descriptor.proto` which
/// knows them.
enum OptionSchema {
  /// The options messages, linked. Their own options are read by what they are without them.
  static let pool = linked(by: linked(by: nil))

  private static func linked(by known: DescriptorPool?) -> DescriptorPool? {
    guard let file = try? SourceParser.parse(text.withUTF8Buffer { unsafe Array($0) }, name: "options") else {
      return nil
    }
    var names = SourceNames()
    names.add(file)
    var writer = DescriptorWriter(file, names.scope(of: file), OptionEncoder(standard: known))
    return (try? writer.write()).flatMap { try? DescriptorPool(files: [$0]) }
  }

  private static let text: StaticString = """
    package google.protobuf;
    message FileOptions {
      optional string java_package = 1;
      optional string java_outer_classname = 8;
      optional bool java_multiple_files = 10;
      optional bool java_generate_equals_and_hash = 20;
      optional bool java_string_check_utf8 = 27;
      optional OptimizeMode optimize_for = 9;
      optional string go_package = 11;
      optional bool cc_generic_services = 16;
      optional bool java_generic_services = 17;
      optional bool py_generic_services = 18;
      optional bool deprecated = 23;
      optional bool cc_enable_arenas = 31;
      optional string objc_class_prefix = 36;
      optional string csharp_namespace = 37;
      optional string swift_prefix = 39;
      optional string php_class_prefix = 40;
      optional string php_namespace = 41;
      optional string php_metadata_namespace = 44;
      optional string ruby_package = 45;
      optional FeatureSet features = 50;
      enum OptimizeMode { SPEED = 1; CODE_SIZE = 2; LITE_RUNTIME = 3; }
    }
    message MessageOptions {
      optional bool message_set_wire_format = 1;
      optional bool no_standard_descriptor_accessor = 2;
      optional bool deprecated = 3;
      optional bool map_entry = 7;
      optional bool deprecated_legacy_json_field_conflicts = 11;
      optional FeatureSet features = 12;
    }
    message FieldOptions {
      optional CType ctype = 1;
      optional bool packed = 2;
      optional bool deprecated = 3;
      optional bool lazy = 5;
      optional JSType jstype = 6;
      optional bool weak = 10;
      optional bool unverified_lazy = 15;
      optional bool debug_redact = 16;
      optional OptionRetention retention = 17;
      repeated OptionTargetType targets = 19;
      optional FeatureSet features = 21;
      enum CType { STRING = 0; CORD = 1; STRING_PIECE = 2; }
      enum JSType { JS_NORMAL = 0; JS_STRING = 1; JS_NUMBER = 2; }
      enum OptionRetention { RETENTION_UNKNOWN = 0; RETENTION_RUNTIME = 1; RETENTION_SOURCE = 2; }
      enum OptionTargetType {
        TARGET_TYPE_UNKNOWN = 0; TARGET_TYPE_FILE = 1; TARGET_TYPE_EXTENSION_RANGE = 2; TARGET_TYPE_MESSAGE = 3;
        TARGET_TYPE_FIELD = 4; TARGET_TYPE_ONEOF = 5; TARGET_TYPE_ENUM = 6; TARGET_TYPE_ENUM_ENTRY = 7;
        TARGET_TYPE_SERVICE = 8; TARGET_TYPE_METHOD = 9;
      }
    }
    message OneofOptions { optional FeatureSet features = 1; }
    message EnumOptions {
      optional bool allow_alias = 2;
      optional bool deprecated = 3;
      optional bool deprecated_legacy_json_field_conflicts = 6;
      optional FeatureSet features = 7;
    }
    message EnumValueOptions {
      optional bool deprecated = 1;
      optional FeatureSet features = 2;
      optional bool debug_redact = 3;
    }
    message ServiceOptions {
      optional bool deprecated = 33;
      optional FeatureSet features = 34;
    }
    message MethodOptions {
      optional bool deprecated = 33;
      optional IdempotencyLevel idempotency_level = 34;
      optional FeatureSet features = 35;
      enum IdempotencyLevel { IDEMPOTENCY_UNKNOWN = 0; NO_SIDE_EFFECTS = 1; IDEMPOTENT = 2; }
    }
    message ExtensionRangeOptions {
      repeated Declaration declaration = 2 [retention = RETENTION_SOURCE];
      optional VerificationState verification = 3 [retention = RETENTION_SOURCE];
      optional FeatureSet features = 50;
      enum VerificationState { DECLARATION = 0; UNVERIFIED = 1; }
      message Declaration {
        optional int32 number = 1;
        optional string full_name = 2;
        optional string type = 3;
        optional bool reserved = 5;
        optional bool repeated = 6;
      }
    }
    message FeatureSet {
      optional A field_presence = 1 [targets = TARGET_TYPE_FIELD, targets = TARGET_TYPE_FILE];
      optional B enum_type = 2 [targets = TARGET_TYPE_ENUM, targets = TARGET_TYPE_FILE];
      optional C repeated_field_encoding = 3 [targets = TARGET_TYPE_FIELD, targets = TARGET_TYPE_FILE];
      optional D utf8_validation = 4 [targets = TARGET_TYPE_FIELD, targets = TARGET_TYPE_FILE];
      optional E message_encoding = 5 [targets = TARGET_TYPE_FIELD, targets = TARGET_TYPE_FILE];
      optional F json_format = 6
        [targets = TARGET_TYPE_MESSAGE, targets = TARGET_TYPE_ENUM, targets = TARGET_TYPE_FILE];
      optional G enforce_naming_style = 7 [retention = RETENTION_SOURCE];
      optional H default_symbol_visibility = 8 [retention = RETENTION_SOURCE, targets = TARGET_TYPE_FILE];
      enum A { EXPLICIT = 1; IMPLICIT = 2; LEGACY_REQUIRED = 3; }
      enum B { OPEN = 1; CLOSED = 2; }
      enum C { PACKED = 1; EXPANDED = 2; }
      enum D { VERIFY = 2; NONE = 3; }
      enum E { LENGTH_PREFIXED = 1; DELIMITED = 2; }
      enum F { ALLOW = 1; LEGACY_BEST_EFFORT = 2; }
      enum G { STYLE2024 = 1; STYLE_LEGACY = 2; }
      enum H { EXPORT_ALL = 1; EXPORT_TOP_LEVEL = 2; LOCAL_ALL = 3; STRICT = 4; }
    }
    """
}
