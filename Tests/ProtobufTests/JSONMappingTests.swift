// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport
import Testing

/// The types of `google.protobuf` that have forms of their own.
private let known: [(Int, Part)] = [
  declaration("Any", [field("type_url", 1, .string), field("value", 2, .bytes)]),
  declaration("Timestamp", [field("seconds", 1, .int64), field("nanos", 2, .int32)]),
  declaration("Duration", [field("seconds", 1, .int64), field("nanos", 2, .int32)]),
  declaration("FieldMask", [field("paths", 1, .string, .repeated)]),
  declaration(
    "Struct",
    [
      field("fields", 1, .message, .repeated, named: ".google.protobuf.Struct.FieldsEntry"),
      declaration(
        "FieldsEntry", at: 3,
        [(7, [(7, 1)]), field("key", 1, .string), field("value", 2, .message, named: ".google.protobuf.Value")]),
    ]),
  declaration(
    "Value",
    [
      field("null_value", 1, .enumeration, named: ".google.protobuf.NullValue", [(9, 0)]),
      field("number_value", 2, .double, [(9, 0)]), field("string_value", 3, .string, [(9, 0)]),
      field("bool_value", 4, .bool, [(9, 0)]),
      field("struct_value", 5, .message, named: ".google.protobuf.Struct", [(9, 0)]),
      field("list_value", 6, .message, named: ".google.protobuf.ListValue", [(9, 0)]), (8, [(1, "kind")]),
    ]),
  declaration("ListValue", [field("values", 1, .message, .repeated, named: ".google.protobuf.Value")]),
  declaration("Empty", []), declaration("Int64Value", [field("value", 1, .int64)]),
  declaration("StringValue", [field("value", 1, .string)]), enumeration("NullValue", [("NULL_VALUE", 0)]),
]

/// A pool with the known types, and a message `t.M` of parts.
private func pool(_ parts: [(Int, Part)], syntax: String = "proto3", beside others: [(Int, Part)] = []) throws
  -> DescriptorPool
{
  try DescriptorPool(files: [
    file("proto3", package: "google.protobuf", known),
    file(syntax, package: "t", [(3, "google.protobuf.proto"), declaration("M", parts)] + others),
  ])
}

private func typeM(
  _ parts: [(Int, Part)], syntax: String = "proto3", beside others: [(Int, Part)] = []
) throws -> MessageDescriptor {
  try #require(try pool(parts, syntax: syntax, beside: others).message(named: "t.M"))
}

private func knownType(_ name: String) throws -> MessageDescriptor {
  try #require(try pool([]).message(named: "google.protobuf." + name))
}

private func read(
  _ json: String, _ type: MessageDescriptor, ignoresUnknown: Bool = false
) throws(MappingError) -> DynamicMessage {
  var options = JSONReadingOptions()
  options.ignoresUnknown = ignoresUnknown
  return try DynamicMessage(json: Array(json.utf8)[...], as: type, options: options)
}

private func refused(_ json: String, _ type: MessageDescriptor, ignoresUnknown: Bool = false) -> String? {
  do throws(MappingError) {
    _ = try read(json, type, ignoresUnknown: ignoresUnknown)
    return nil
  } catch { return error.message }
}

private func text(
  _ message: DynamicMessage, _ change: (inout JSONWritingOptions) -> Void = { _ in }
) throws(MappingError) -> String {
  var options = JSONWritingOptions()
  change(&options)
  var bytes: [UInt8] = []
  try message.writeJSON(into: &bytes, options: options)
  return String(decoding: bytes, as: UTF8.self)
}

private func unwritable(_ message: DynamicMessage) -> String? {
  do throws(MappingError) {
    _ = try text(message)
    return nil
  } catch { return error.message }
}

@Suite struct JSONMappingTests {
  @Test("fields of every kind are written in their canonical form, and come back from it")
  func kinds() throws {
    let parts = [
      field("an_int", 1, .int32), field("a_long", 2, .int64), field("a_double", 3, .double),
      field("a_float", 4, .float), field("a_bool", 5, .bool), field("a_string", 6, .string),
      field("some_bytes", 7, .bytes), field("an_enum", 8, .enumeration, named: ".t.E"),
      field("longs", 9, .uint64, .repeated), field("doubles", 10, .double, .repeated),
      field("inner", 11, .message, named: ".t.M"), field("named", 12, .sint32, [(10, "other name")]),
    ]
    let type = try typeM(parts, beside: [enumeration("E", [("ZERO", 0), ("ONE", 1)])])
    let json =
      #"{"anInt":-5,"aLong":"-9223372036854775808","aDouble":0.1,"aFloat":1e+30,"aBool":true,"aString":"a\"\né","#
      + #""someBytes":"+/8=","anEnum":"ONE","longs":["18446744073709551615","0"],"#
      + #""doubles":["NaN","Infinity","-Infinity",-0.0,1],"inner":{"anEnum":7},"other name":1}"#
    let message = try read(json, type)
    #expect(try text(message) == json)
    #expect(try DynamicMessage(decoding: message.encoded(), as: type) == message)
    let loose =
      #"{"an_int":"-5","a_long":-9223372036854775808,"aDouble":"1e-1","aFloat":1E30,"a_bool":true,"aString":"a\"\né","#
      + #""some_bytes":"-_8","anEnum":1.0,"longs":[18446744073709551615,"0e3"],"doubles":["NaN","Infinity","#
      + #""-Infinity","-0",1.0],"inner":{"an_enum":7},"named":"1.0","anInt2":null}"#
    #expect(try read(loose, type, ignoresUnknown: true) == message)
    #expect(
      try text(message) {
        $0.usesProtoNames = true
        $0.writesEnumsAsNumbers = true
      }
      .hasPrefix(#"{"an_int":-5,"a_long":"-9223372036854775808","a_double":0.1"#))
  }

  @Test("fields that are not set are written when they are asked for, unless they have presence")
  func unset() throws {
    let type = try typeM(
      [
        field("i", 1, .int64), field("s", 2, .string), field("o", 3, .int32, [(9, 0), (17, 1)]),
        field("r", 4, .int32, .repeated), field("m", 5, .message, named: ".t.M"),
        field("e", 6, .enumeration, named: ".t.E"), (8, [(1, "_o")]),
      ], beside: [enumeration("E", [("ZERO", 0)])])
    #expect(try text(DynamicMessage(type)) == "{}")
    #expect(try text(DynamicMessage(type)) { $0.writesUnset = true } == #"{"i":"0","s":"","r":[],"e":"ZERO"}"#)
    #expect(
      try text(read(#"{"o":0,"m":{}}"#, type)) {
        $0.writesUnset = true
        $0.isIndented = true
      } == """
        {
          "i": "0",
          "s": "",
          "o": 0,
          "r": [],
          "m": {
            "i": "0",
            "s": "",
            "r": [],
            "e": "ZERO"
          },
          "e": "ZERO"
        }
        """)
  }

  @Test("maps have keys of every kind, in quotes, and each key once")
  func maps() throws {
    for (key, json) in [
      (.string, #"{"m":{"":1,"b":2}}"#), (.bool, #"{"m":{"false":1,"true":2}}"#),
      (.int32, #"{"m":{"-5":1,"7":2}}"#), (.uint64, #"{"m":{"0":1,"18446744073709551615":2}}"#),
      (.sint64, #"{"m":{"-9223372036854775808":1,"1":2}}"#), (.fixed32, #"{"m":{"1":1,"4294967295":2}}"#),
    ] as [(FieldType, String)] {
      let type = try ProtobufTests.type("proto3", map(key, .int32))
      #expect(try text(read(json, type)) == json)
    }
    let type = try ProtobufTests.type("proto3", map(.int32, .int32))
    #expect(try text(read(#"{"m":{"7":1,"-5":2,"6":3}}"#, type)) == #"{"m":{"-5":2,"6":3,"7":1}}"#)
    #expect(refused(#"{"m":{"7":1,"7":2}}"#, type) == "$.m: a key stands twice in a map")
    #expect(refused(#"{"m":{"7":1,"8":3,"70e-1":2}}"#, type) == "$.m: a key stands twice in a map")
    #expect(refused(#"{"m":{"7":null}}"#, type) == #"$.m.7: a value, and not null, must stand here"#)
    #expect(refused(#"{"m":{"x y":1}}"#, type) == #"$.m["x y"]: the string is not a number"#)
  }

  @Test(
    "what is wrong is told with its way through the document",
    arguments: [
      ("", "line 1, column 1: the document ends too early"), ("[]", "$: an object must stand here"),
      (#"{"items":[{"price":1},{"price":"x"}]}"#, "$.items[1].price: the string is not a number"),
      (#"{"items":[{},{"x":1}]}"#, "$.items[1].x: t.M has no such field"),
      (#"{"price":1,"price":1}"#, "$.price: the field stands twice in one object"),
      (#"{"aPrice":1,"a_price":null}"#, "$.a_price: the field stands twice in one object"),
      (#"{"one":1,"other":1}"#, "$.other: another field of the oneof o stands in the same object"),
      (#"{"price":2147483648}"#, "$.price: the number is out of range or not whole"),
      (#"{"items":[null]}"#, "$.items[0]: a value, and not null, must stand here"),
      (#"{"kind":"X"}"#, "$.kind: t.E has no such value"),
      ("{\"price\":1,\n  nul}", "line 2, column 3: a character is out of place"),
      ("{\"items\":[{\"price\": 01}]}", "$.items[0].price: line 1, column 21: a number is malformed"),
      (#"{"text":"\ud800"}"#, "$.text: line 1, column 10: an escape is malformed"),
      ("{} {}", "line 1, column 4: a character is out of place"),
    ])
  func errors(json: String, message: String) throws {
    let type = try typeM(
      [
        field("price", 1, .int32), field("items", 2, .message, .repeated, named: ".t.M"),
        field("a_price", 3, .int32), field("one", 4, .int32, [(9, 0)]), field("other", 5, .int32, [(9, 0)]),
        field("kind", 6, .enumeration, named: ".t.E"), field("text", 7, .string), (8, [(1, "o")]),
      ], beside: [enumeration("E", [("ZERO", 0)])])
    let found = refused(json, type)
    #expect(found == message || found == "$: " + message)
  }

  @Test("what is not known is passed over when it is asked for, and only that")
  func unknown() throws {
    let parts = [
      field("e", 1, .enumeration, named: ".t.E"), field("list", 2, .enumeration, .repeated, named: ".t.E"),
      field("i", 3, .int32),
    ]
    let type = try typeM(parts, beside: [enumeration("E", [("ZERO", 0), ("ONE", 1)])])
    let message = try read(
      #"{"x":{"y":[1,{"z":null}]},"e":"X","list":["ONE","X",1],"i":1}"#, type, ignoresUnknown: true)
    #expect(try text(message) == #"{"list":["ONE","ONE"],"i":1}"#)
    #expect(refused(#"{"x":{"y":[1,}},"i":1}"#, type, ignoresUnknown: true) != nil)
    #expect(refused(#"{"x":1,"i":"y"}"#, type, ignoresUnknown: true) == "$.i: the string is not a number")
  }

  @Test("a closed enum has no numbers but its own; an open one keeps any")
  func enums() throws {
    let declared = [enumeration("E", [("ONE", 1), ("TWO", 2)])]
    let closed = try typeM([field("e", 1, .enumeration, named: ".t.E")], syntax: "proto2", beside: declared)
    #expect(refused(#"{"e":3}"#, closed) == "$.e: t.E has no such value")
    #expect(try text(read(#"{"e":2}"#, closed)) == #"{"e":"TWO"}"#)
    #expect(try text(read(#"{"e":3}"#, closed, ignoresUnknown: true)) == "{}")
  }

  @Test("extensions stand under their full names in brackets, groups under those of their fields, required fields must")
  func proto2() throws {
    let type = try typeM(
      [
        field("r", 1, .int32, .required), field("g", 2, .group, named: ".t.M.G"), (5, [(1, 100), (2, 200)]),
        declaration("G", at: 3, [field("a", 1, .int32), field("b", 2, .int32, .required)]),
      ], syntax: "proto2", beside: [field("x", 100, .string, at: 7, [(2, ".t.M")])])
    let json = #"{"r":0,"g":{"a":1,"b":0},"[t.x]":""}"#
    #expect(try text(read(json, type)) == json)
    #expect(refused(#"{"[t.y]":1,"r":1}"#, type) == #"$["[t.y]"]: t.M has no such field"#)
    #expect(refused("{}", type) == "r: a required field is not set")
    #expect(refused(#"{"r":1,"g":{}}"#, type) == "g.b: a required field is not set")
    var partial = DynamicMessage(type)
    #expect(unwritable(partial) == "r: a required field is not set")
    try partial.merge(json: Array("1".utf8)[...], at: try #require(type.field(named: "r")))
    #expect(try text(partial) == #"{"r":1}"#)
  }

  @Test("texts that no schema demands to be UTF-8 are refused where they are none")
  func notUTF8() throws {
    let type = try typeM([field("s", 1, .string, .repeated)], syntax: "proto2")
    let message = try DynamicMessage(decoding: hex("0A 01 61 0A 01 FF"), as: type)
    #expect(unwritable(message) == "s[1]: the string is not UTF-8, as JSON must be")
    var bytes = Array("before".utf8)
    #expect(throws: MappingError.self) { try message.writeJSON(into: &bytes) }
    #expect(bytes == Array("before".utf8))
  }
}

@Suite struct JSONKnownTypeTests {
  @Test(
    "timestamps and durations come back in the form that is canonical",
    arguments: [
      ("Timestamp", "0001-01-01T00:00:00Z", nil), ("Timestamp", "9999-12-31T23:59:59.999999999Z", nil),
      ("Timestamp", "1970-01-01T00:00:00Z", nil), ("Timestamp", "2000-02-29T12:34:56.100Z", nil),
      ("Timestamp", "1969-12-31T23:59:59.000001Z", nil),
      ("Timestamp", "2024-02-29T12:00:00.5+05:30", "2024-02-29T06:30:00.500Z"),
      ("Timestamp", "2023-12-31T23:59:59-00:01", "2024-01-01T00:00:59Z"),
      ("Duration", "0s", nil), ("Duration", "-0.500s", nil), ("Duration", "315576000000.999999999s", nil),
      ("Duration", "-315576000000s", nil), ("Duration", "1.000001s", nil), ("Duration", "01.5s", "1.500s"),
      ("Duration", "-0s", "0s"), ("FieldMask", "a,bC.dE,f", nil), ("FieldMask", "", nil),
    ])
  func forms(name: String, form: String, canonical: String?) throws {
    let message = try read("\"" + form + "\"", try knownType(name))
    #expect(try text(message) == "\"" + (canonical ?? form) + "\"")
  }

  @Test("every day from the year 1 to 9999 is written as it was read")
  func days() throws {
    let type = try knownType("Timestamp")
    for year in [1, 4, 100, 400, 1582, 1600, 1899, 1900, 1904, 1970, 2000, 2024, 2100, 9999] {
      for (index, days) in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        for day in [1, 15, index == 1 && isLeap ? 29 : days] {
          func padded(_ value: Int, _ count: Int) -> String {
            String(repeating: "0", count: count - String(value).count) + String(value)
          }
          let form = "\"\(padded(year, 4))-\(padded(index + 1, 2))-\(padded(day, 2))T23:59:59Z\""
          #expect(try text(read(form, type)) == form)
        }
      }
    }
  }

  @Test(
    "messages without a form are refused",
    arguments: [
      ("Timestamp", "08 FF 91 B8 C3 98 FE FF FF FF 01", "the timestamp is out of range"),
      ("Timestamp", "10 FF FF FF FF FF FF FF FF FF 01", "the timestamp is out of range"),
      ("Timestamp", "08 80 83 D1 FF AF 07", "the timestamp is out of range"),
      ("Duration", "08 01 10 FF FF FF FF FF FF FF FF FF 01", "the duration is out of range, or its parts differ in"),
      ("Duration", "08 81 BC AE CE 97 09", "the duration is out of range, or its parts differ in"),
      ("FieldMask", "0A 03 61 5F 31", "paths[0]: a path of the field mask would not come back the same"),
      ("FieldMask", "0A 01 61 0A 01 41", "paths[1]: a path of the field mask would not come back the same"),
      ("FieldMask", "0A 00", "paths[0]: a path of the field mask would not come back the same"),
      ("FieldMask", "0A 02 61 5F", "paths[0]: a path of the field mask would not come back the same"),
      ("Value", "", "the value has no kind"), ("Value", "11 00 00 00 00 00 00 F8 7F", "the number of the value is not"),
      ("ListValue", "0A 02 20 01 0A 00", "values[1]: the value has no kind"),
    ])
  func unwritables(name: String, bytes: String, reason: String) throws {
    let message = try DynamicMessage(decoding: hex(bytes), as: try knownType(name))
    #expect(unwritable(message)?.hasPrefix(reason) == true)
  }

  @Test("any document is a value, and comes back the same")
  func values() throws {
    let type = try knownType("Value")
    for json in [
      "null", "true", "1.5", "\"x\"", "[]", "{}", #"{"a":[null,{"b":[]},"c",-1e+300],"é":{"":null}}"#, "[[[[[[1]]]]]]",
    ] {
      let message = try read(json, type)
      #expect(try text(message) == json)
      #expect(try DynamicMessage(decoding: message.encoded(), as: type) == message)
    }
    #expect(refused(#"{"a":[{"b":1,"b":2}]}"#, type) == "$.a[0]: a key stands twice in a map")
    #expect(refused("1e999", type) == "$: the number is out of range or not whole")
    #expect(refused(#"{"a":1}"#, try knownType("ListValue")) == "$: an array must stand here")
  }

  @Test("null is the absence of a field, but a value where it is one")
  func null() throws {
    let parts = [
      field("w", 1, .message, named: ".google.protobuf.Int64Value"),
      field("v", 2, .message, named: ".google.protobuf.Value"),
      field("n", 3, .enumeration, named: ".google.protobuf.NullValue", [(9, 0)]),
      field("vs", 4, .message, .repeated, named: ".google.protobuf.Value"),
      field("ws", 5, .message, .repeated, named: ".google.protobuf.Int64Value"),
      field("b", 6, .bool, [(9, 0)]), (8, [(1, "o")]),
    ]
    let type = try typeM(parts)
    let nulls = #""v":null,"n":null,"vs":[null,1]}"#
    #expect(try text(read(#"{"w":null,"# + nulls, type)) == "{" + nulls)
    #expect(try text(read(#"{"w":"7","vs":null,"ws":[1,"2"]}"#, type)) == #"{"w":"7","ws":["1","2"]}"#)
    #expect(refused(#"{"ws":[null]}"#, type) == "$.ws[0]: a value, and not null, must stand here")
    #expect(refused(#"{"n":null,"b":true}"#, type)?.contains("another field of the oneof o") == true)
    #expect(refused(#"{"b":null,"n":null}"#, type) == nil)
  }

  @Test("an any of a known type is that type's object, wherever its type stands")
  func anys() throws {
    let type = try typeM([
      field("a", 1, .message, named: ".google.protobuf.Any"), field("i", 2, .int32), field("value", 3, .string),
      field("list", 4, .message, .repeated, named: ".google.protobuf.Any"),
    ])
    let forms = [
      #"{"a":{"@type":"x/t.M","i":5,"value":"v"}}"#, #"{"a":{"@type":"x/google.protobuf.Duration","value":"1.500s"}}"#,
      #"{"a":{"@type":"x/google.protobuf.Any","value":{"@type":"y/t.M"}}}"#,
      #"{"a":{"@type":"x/t.None","value":"AQI="}}"#, #"{"a":{"@type":"none","value":""}}"#, #"{"a":{}}"#,
      #"{"a":{"@type":"x/google.protobuf.Empty"}}"#,
      #"{"a":{"@type":"x/google.protobuf.Value","value":null}}"#,
      #"{"a":{"@type":"x/t.M","a":{"@type":"x/t.M","list":[{"@type":"x/t.M","i":1},{"@type":"x/t.M","i":2}]}}}"#,
    ]
    for form in forms { #expect(try text(read(form, type)) == form) }
    let late =
      #"{"a":{"i":1,"a":{"list":[{"i":1,"@type":"x/t.M"},{"@type":"x/t.M","i":2}],"@type":"x/t.M"},"@type":"x/t.M"}}"#
    let list = #"[{"@type":"x/t.M","i":1},{"@type":"x/t.M","i":2}]"#
    #expect(
      try text(read(late, type)) == #"{"a":{"@type":"x/t.M","a":{"@type":"x/t.M","list":"# + list + #"},"i":1}}"#)
    for (json, message) in [
      (#"{"a":{"i":1}}"#, #"$.a: an object with "@type" must stand here"#),
      (#"{"a":{"@type":1}}"#, #"$.a: an object with "@type" must stand here"#),
      (#"{"a":{"@type":"x/t.M","@type":"x/t.M"}}"#, #"$.a["@type"]: the field stands twice in one object"#),
      (#"{"a":{"@type":"x/t.M","x":1}}"#, "$.a.x: t.M has no such field"),
      (#"{"a":{"@type":"x/t.None","i":1}}"#, "$.a.i: the type x/t.None is not known"),
      (#"{"a":{"@type":"x/t.None"}}"#, "$.a: the type x/t.None is not known"),
      (#"{"a":{"@type":"x/t.None","value":1}}"#, "$.a.value: the type x/t.None is not known"),
      (#"{"a":{"@type":"x/google.protobuf.Duration"}}"#, #"$.a: an object with "value" must stand here"#),
    ] { #expect(refused(json, type) == message) }
    let broken = try DynamicMessage(decoding: hex("0A 0A 0A 05 78 2F 74 2E 4D 12 01 08"), as: type)
    #expect(unwritable(broken)?.hasPrefix("a: ") == true)
  }

  @Test("a known type that a pool declares otherwise is refused, and never read out of its bounds")
  func strange() throws {
    let pool = try DescriptorPool(files: [
      file(
        "proto3", package: "google.protobuf",
        ["Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Int64Value"].map {
          declaration($0, [field("x", 7, .message, named: ".google.protobuf." + $0)])
        })
    ])
    for type in pool.files[0].messages {
      for json in ["1", "\"1s\"", "\"1970-01-01T00:00:00Z\"", "{}", "[]", "null", "true", "\"a\""] {
        #expect(refused(json, type) != nil)
      }
      let message = try DynamicMessage(decoding: hex("3A 00"), as: type)
      if type.name != "Value" {
        #expect(unwritable(message) == type.fullName + " is not declared as it is known")
      } else {
        #expect(unwritable(message)?.hasSuffix("the value has no kind") == true)
      }
    }
  }
}

@Suite struct JSONLimitTests {
  @Test("messages nest as deep as encoding lets them, both ways")
  func depth() throws {
    let type = try typeM([field("m", 1, .message, named: ".t.M"), field("l", 2, .message, .repeated, named: ".t.M")])
    func nested(_ depth: Int) -> String {
      String(repeating: #"{"m":{"l":["#, count: depth / 2) + "{}" + String(repeating: "]}}", count: depth / 2)
    }
    let deepest = try read(nested(100), type)
    #expect(try deepest.encoded().count > 100)
    #expect(try text(deepest) == nested(100))
    #expect(refused(nested(102), type)?.hasSuffix("messages nest too deep") == true)
    #expect(refused(String(repeating: #"{"m":"#, count: 200_000), type)?.hasSuffix("messages nest too deep") == true)
    #expect(refused(#"{"x":"# + String(repeating: "[", count: 200_000), type, ignoresUnknown: true) != nil)
    var options = JSONWritingOptions()
    options.depth = 99
    var bytes: [UInt8] = []
    #expect(throws: MappingError.self) { try deepest.writeJSON(into: &bytes, options: options) }
    let value = try knownType("Value")
    #expect(refused(String(repeating: "[", count: 200_000), value)?.hasSuffix("messages nest too deep") == true)
  }

  @Test("a document has so many bytes and values at most")
  func size() throws {
    let type = try typeM([field("l", 1, .int32, .repeated)])
    var options = JSONReadingOptions()
    options.limits.elements = 3
    func refusedWithin(_ json: String) -> String? {
      do throws(MappingError) {
        _ = try DynamicMessage(json: Array(json.utf8)[...], as: type, options: options)
        return nil
      } catch { return error.message }
    }
    #expect(refusedWithin(#"{"l":[1,2,3]}"#) == nil)
    #expect(refusedWithin(#"{"l":[1,2,3,4]}"#) == "$.l[3]: there are too many values")
    options.limits.bytes = 12
    #expect(refusedWithin(#"{"l":[1,2,3]}"#)?.hasSuffix("the document is too large") == true)
  }

  @Test("types of anys that come last are found in linear time")
  func lateTypes() throws {
    let type = try typeM([field("a", 1, .message, named: ".google.protobuf.Any"), field("s", 2, .string)])
    let filling = #""s":""# + String(repeating: "x", count: 30_000) + "\","
    // The outermost object is no any.
    let inner = String(repeating: "{" + filling + #""a":"#, count: 90)
    let json = inner + "{}" + String(repeating: #","@type":"x/t.M"}"#, count: 89) + "}"
    #expect(refused(json, type) == nil)
  }
}

@Suite struct JSONFieldTests {
  @Test("one field is read and written alone")
  func alone() throws {
    let type = try typeM([
      field("i", 1, .int32), field("m", 2, .message, named: ".t.M"), field("l", 3, .string, .repeated),
      field("v", 4, .message, named: ".google.protobuf.Value"), field("a", 5, .int32, [(9, 0)]),
      field("b", 6, .int32, [(9, 0)]), (8, [(1, "o")]),
    ])
    var message = try read(#"{"i":1,"m":{"i":2},"a":1}"#, type)
    func merge(_ json: String, _ name: String) throws {
      try message.merge(json: Array(json.utf8)[...], at: try #require(type.field(named: name)))
    }
    func alone(_ name: String) throws -> String {
      var bytes: [UInt8] = []
      try message.writeJSON(of: try #require(type.field(named: name)), into: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(try alone("m") == #"{"i":2}"#)
    #expect(try alone("l") == "[]")
    #expect(try alone("v") == "null")
    try merge(#"{"l":["x"]}"#, "m")
    try merge(#"["y"]"#, "l")
    try merge("null", "i")
    try merge("null", "v")
    try merge("7", "b")
    #expect(try text(message) == #"{"m":{"l":["x"]},"l":["y"],"v":null,"b":7}"#)
    #expect(try alone("i") == "0")
    #expect(try alone("l") == #"["y"]"#)
    #expect(throws: MappingError.self) { try merge("8 8", "b") }
    #expect(throws: MappingError.self) { try merge(#"{"i":"x"}"#, "m") }
    #expect(try text(message) == #"{"m":{"l":["x"]},"l":["y"],"v":null,"b":7}"#)
    let other = try #require(try knownType("Duration").fields.first)
    #expect(throws: MappingError.self) { try message.merge(json: Array("1".utf8)[...], at: other) }
  }
}
