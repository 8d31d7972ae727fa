// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Testing
import Transcoding

/// The schema of a shop that has a field of every kind, as .proto files.
enum Shop {
  static let files = [
    "google/protobuf/any.proto": """
    syntax = "proto3";
    package google.protobuf;
    message Any { string type_url = 1; bytes value = 2; }
    """,
    "google/protobuf/time.proto": """
    syntax = "proto3";
    package google.protobuf;
    message Timestamp { int64 seconds = 1; int32 nanos = 2; }
    message Duration { int64 seconds = 1; int32 nanos = 2; }
    message FieldMask { repeated string paths = 1; }
    """,
    "google/protobuf/struct.proto": """
    syntax = "proto3";
    package google.protobuf;
    message Struct { map<string, Value> fields = 1; }
    message Value {
      oneof kind {
        NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
        Struct struct_value = 5; ListValue list_value = 6;
      }
    }
    enum NullValue { NULL_VALUE = 0; }
    message ListValue { repeated Value values = 1; }
    """,
    "google/protobuf/wrappers.proto": """
    syntax = "proto3";
    package google.protobuf;
    message Int64Value { int64 value = 1; }
    message StringValue { string value = 1; }
    message BoolValue { bool value = 1; }
    message BytesValue { bytes value = 1; }
    """,
    "google/api/httpbody.proto": """
    syntax = "proto3";
    package google.api;
    import "google/protobuf/any.proto";
    message HttpBody { string content_type = 1; bytes data = 2; repeated google.protobuf.Any extensions = 3; }
    """,
    "shop.proto": """
    syntax = "proto3";
    package shop.v1;
    import "google/api/httpbody.proto";
    import "google/protobuf/any.proto";
    import "google/protobuf/time.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto";

    enum Color { COLOR_UNSPECIFIED = 0; RED = 1; BLUE = -2; }

    message Item {
      string name = 1;
      int64 price = 2;
      Color color = 3;
      repeated string tags = 4;
      map<string, string> labels = 5;
      Item part = 6;
      google.protobuf.Timestamp made_at = 7;
      google.protobuf.Struct extra = 8;
      oneof size { int32 small_size = 9; string large_size = 10; Item box = 11; }
    }

    message Everything {
      double f_double = 1; float f_float = 2; int32 f_int32 = 3; int64 f_int64 = 4; uint32 f_uint32 = 5;
      uint64 f_uint64 = 6; sint32 f_sint32 = 7; sint64 f_sint64 = 8; fixed32 f_fixed32 = 9; fixed64 f_fixed64 = 10;
      sfixed32 f_sfixed32 = 11; sfixed64 f_sfixed64 = 12; bool f_bool = 13; string f_string = 14; bytes f_bytes = 15;
      Color f_color = 16;
      repeated double r_double = 21; repeated int32 r_int32 = 22; repeated uint64 r_uint64 = 23;
      repeated bool r_bool = 24; repeated string r_string = 25; repeated bytes r_bytes = 26;
      repeated Color r_color = 27;
      map<string, int64> m_string = 31; map<int32, string> m_int32 = 32; map<bool, Color> m_bool = 33;
      google.protobuf.Timestamp timestamp = 41; google.protobuf.Duration duration = 42;
      google.protobuf.FieldMask mask = 43; google.protobuf.Struct struct = 44; google.protobuf.Value value = 45;
      google.protobuf.ListValue list = 46; google.protobuf.Int64Value int64_value = 47;
      google.protobuf.StringValue string_value = 48; google.protobuf.BoolValue bool_value = 49;
      google.protobuf.BytesValue bytes_value = 50; google.protobuf.Any any = 51;
      repeated google.protobuf.Timestamp timestamps = 52;
      Everything nested = 61; repeated Everything others = 62; optional int32 maybe = 63;
    }

    message Request {
      string name = 1;
      Item item = 2;
      google.protobuf.FieldMask update_mask = 3;
      int32 count = 4;
      repeated Item items = 5;
      Everything all = 6;
      google.api.HttpBody upload = 7;
      string page_token = 8;
    }
    message Reply { Item item = 1; repeated Item items = 2; string text = 3; google.api.HttpBody file = 4; }

    service Shop {
      rpc Get(Request) returns (Reply);
      rpc Other(Request) returns (Reply);
      rpc Watch(Request) returns (stream Reply);
      rpc Send(stream Request) returns (Reply);
      rpc Talk(stream Request) returns (stream Reply);
      rpc Upload(google.api.HttpBody) returns (google.api.HttpBody);
      rpc Download(Request) returns (stream google.api.HttpBody);
      rpc Echo(Everything) returns (Everything);
    }
    service Internal { rpc Get(Request) returns (Reply); }
    """,
  ]

  static let pool: DescriptorPool = {
    do {
      let compiled = try SchemaSource.compile(["shop.proto"]) { name in
        files[name].map { .success(Array($0.utf8)) } ?? .missing
      }
      return try DescriptorPool(files: compiled)
    } catch { fatalError("the shop's schema: \(error)") }
  }()

  /// A table of rules for methods of the service: `Get` stands for `shop.v1.Shop.Get`.
  static func table(_ rules: [(String, HTTPRule)], exposed: [String] = []) -> RouteTable {
    var options = RouteOptions()
    options.exposed = exposed
    var merged: [String: HTTPRule] = [:]
    for (method, rule) in rules {
      var rule = rule
      rule.selector = "shop.v1.Shop." + method
      if merged[rule.selector] == nil {
        merged[rule.selector] = rule
      } else {
        merged[rule.selector]?.additionalBindings.append(rule)
      }
    }
    options.rules = merged.values.sorted { $0.selector < $1.selector }
    return RouteTable(pool, options: options)
  }

  /// A table of rules for `Get`.
  static func table(_ rules: HTTPRule...) -> RouteTable { table(rules.map { ("Get", $0) }) }

  /// Where a path leads.
  static func match(_ table: RouteTable, _ method: String, _ path: String) throws -> RouteMatch {
    guard case .found(let match) = table.match(method, bytes(path)) else { throw NoRoute(path: path) }
    return match
  }

  struct NoRoute: Error {
    let path: String
  }

  /// The message of a request as JSON with the schema's names, or the error as `CODE: message`.
  static func request(
    _ table: RouteTable, _ method: String, _ target: String, body: String = "", contentType: String = "",
    _ change: (inout RequestOptions) -> Void = { _ in }
  ) -> String {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard case .found(let match) = table.match(method, bytes(String(parts[0]))) else { return "no route" }
    var options = RequestOptions()
    change(&options)
    let request = RequestTranscoder(
      match, query: parts.count > 1 ? bytes(String(parts[1])) : [], contentType: contentType, options: options)
    var encoded: [UInt8] = []
    do throws(TranscodingError) { try request.encode(body: bytes(body), into: &encoded) } catch {
      return "\(error.httpStatus) \(error.message)"
    }
    return json(encoded, match.route.method.input)
  }

  static func json(_ encoded: [UInt8], _ type: MessageDescriptor) -> String {
    var options = JSONWritingOptions()
    options.usesProtoNames = true
    var json: [UInt8] = []
    do {
      try DynamicMessage(decoding: encoded, as: type).writeJSON(into: &json, options: options)
    } catch { return "unreadable: \(error)" }
    return String(decoding: json, as: UTF8.self)
  }

  /// The bytes of a message of the schema that JSON describes.
  static func message(_ name: String, _ json: String) throws -> [UInt8] {
    let type = try #require(pool.message(named: name))
    var encoded: [UInt8] = []
    try DynamicMessage(json: bytes(json), as: type).encode(into: &encoded)
    return encoded
  }
}

func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
