// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport
import Testing

/// The options of a file, message, field, oneof or enum with one feature.
private func features(_ number: Int, _ feature: Int, _ value: Int32) -> Part { [(number, [(feature, .number(value))])] }

@Suite struct FeatureTests {
  @Test("each syntax and edition has its own defaults", arguments: ["", "proto2", "proto3", "2023", "2024"])
  func defaults(syntax: String) throws {
    let enumeration = enumeration("E", [("V", 0)])
    let pool = try DescriptorPool(files: [
      file(
        syntax,
        [
          enumeration, declaration("M", [field("f", 1, .string), field("r", 2, .int32, .repeated)]),
        ])
    ])
    let message = try #require(pool.message(named: "M"))
    let isProto2 = syntax == "" || syntax == "proto2"
    #expect(message.field(named: "f")?.hasPresence == (syntax != "proto3"))
    #expect(message.field(named: "r")?.isPacked == !isProto2)
    #expect(pool.enumeration(named: "E")?.isClosed == isProto2)
    #expect(message.features.utf8Validation == (isProto2 ? .none : .verify))
    #expect(message.features.jsonFormat == (isProto2 ? .legacyBestEffort : .allow))
    #expect(message.features.messageEncoding == .lengthPrefixed)
  }

  @Test("features are inherited from file to message to oneof to field, and each can have its own")
  func inheritance() throws {
    let pool = try DescriptorPool(files: [
      file(
        "2023",
        [
          (8, features(50, 1, 2)),  // field_presence = IMPLICIT
          declaration(
            "M",
            [
              field("implicit", 1, .int32), field("explicit", 2, .int32, [(8, features(21, 1, 1))]),
              field("required", 3, .int32, [(8, features(21, 1, 3))]), field("member", 4, .string, [(9, 0)]),
              (8, [(1, "o"), (2, features(1, 4, 3))]),
            ]),
          declaration(
            "Expanded",
            [
              (7, features(12, 3, 2)), field("r", 1, .int32, .repeated),
              field("packed", 2, .int32, .repeated, [(8, features(21, 3, 1))]),
              enumeration("Closed", [("ONE", 1)], at: 4, [(3, features(7, 2, 2))]),
            ]),
        ])
    ])
    let message = try #require(pool.message(named: "M"))
    #expect(message.field(named: "implicit")?.hasPresence == false)
    #expect(message.field(named: "explicit")?.hasPresence == true)
    #expect(message.field(named: "required")?.cardinality == .required)
    #expect(message.field(named: "member")?.hasPresence == true)
    #expect(message.field(named: "member")?.features.utf8Validation == Features.UTF8Validation.none)
    #expect(message.field(named: "implicit")?.features.utf8Validation == .verify)
    let expanded = try #require(pool.message(named: "Expanded"))
    #expect(expanded.field(named: "r")?.isPacked == false)
    #expect(expanded.field(named: "packed")?.isPacked == true)
    #expect(expanded.enums.first?.isClosed == true)
  }

  @Test("a delimited message is a group, but not in a map")
  func delimited() throws {
    let entry = declaration(
      "CEntry", at: 3,
      [
        (7, [(7, 1)]), field("key", 1, .int32), field("value", 2, .message, named: ".M"),
      ])
    let pool = try DescriptorPool(files: [
      file(
        "2023",
        [
          (8, features(50, 5, 2)),
          declaration(
            "M",
            [
              field("a", 1, .message, named: ".M"),
              field("b", 2, .message, named: ".M", [(8, features(21, 5, 1))]),
              field("c", 3, .message, .repeated, named: ".M.CEntry"), entry,
            ]),
        ])
    ])
    let message = try #require(pool.message(named: "M"))
    #expect(message.fields.map(\.type) == [.group, .message, .message])
    #expect(message.fields.map(\.isMap) == [false, false, true])
    #expect(message.messages.first?.fields.map(\.type) == [.int32, .message])
    #expect(message.messages.first?.isMapEntry == true)
  }

  @Test("older syntaxes say features by other means")
  func older() throws {
    let pool = try DescriptorPool(files: [
      file(
        "proto2", package: "two",
        [
          declaration(
            "M",
            [
              field("p", 1, .int32, .repeated, [(8, [(2, 1)])]), field("g", 2, .group, named: ".two.M"),
              field("q", 3, .int32, .required),
            ])
        ]),
      file(
        "proto3", package: "three",
        [
          declaration(
            "M",
            [
              field("e", 1, .int32, .repeated, [(8, [(2, 0)])]), field("o", 2, .int32, [(9, 0), (17, 1)]),
              (8, [(1, "_o")]),
            ])
        ]),
    ])
    let two = try #require(pool.message(named: "two.M"))
    #expect(two.field(named: "p")?.isPacked == true)
    #expect(two.field(named: "g")?.features.messageEncoding == .delimited)
    #expect(two.field(named: "q")?.cardinality == .required)
    let three = try #require(pool.message(named: "three.M"))
    #expect(three.field(named: "e")?.isPacked == false)
    #expect(three.field(named: "o")?.hasPresence == true)
    #expect(three.oneofs.map(\.isSynthetic) == [true])
  }

  @Test("features that are none, or stand where they cannot, are refused by name")
  func refusals() {
    for (feature, name) in [
      (1, "field_presence"), (2, "enum_type"), (3, "repeated_field_encoding"), (4, "utf8_validation"),
      (5, "message_encoding"), (6, "json_format"),
    ] {
      for value: Int32 in [0, 9, -1] {
        #expect(refusal([file("2023", [(8, features(50, feature, value))])])?.code == .invalidFeature(name))
      }
    }
    #expect(refusal([file("2023", [(8, features(50, 1, 3))])])?.code == .invalidFeature("field_presence"))
    #expect(refusal([file("2023", [(8, features(50, 1000, 1))])]) == nil)
    let early = refusal([file("proto3", [(8, features(50, 1, 1))])])
    #expect(early?.code == .invalid("features are for editions alone"))
    #expect(refusal([file("proto4", [])])?.code == .unknownSyntax("syntax \"proto4\""))
    #expect(refusal([message([(1, "a"), (12, "editions")])])?.code == .unknownSyntax("edition number 0"))
    let future = message([(1, "a"), (12, "editions"), (14, 1002)])
    #expect(refusal([future])?.code == .unknownSyntax("edition number 1002"))
  }
}
