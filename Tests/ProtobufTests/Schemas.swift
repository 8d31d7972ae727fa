// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport

// Parts of descriptors, named as the language has them.

/// A file that is named after its package, or `test.proto`.
func file(_ syntax: String, package: String = "", _ parts: [(Int, Part)]) -> [UInt8] {
  var head: [(Int, Part)] = [(1, .text(package.isEmpty ? "test.proto" : package + ".proto"))]
  if !package.isEmpty { head.append((2, .text(package))) }
  if syntax == "2023" || syntax == "2024" {
    head += [(12, "editions"), (14, syntax == "2023" ? 1000 : 1001)]
  } else {
    head.append((12, .text(syntax)))
  }
  return message(head + parts)
}

/// A message of a file; `3` where it stands within another.
func declaration(_ name: String, at number: Int = 4, _ parts: [(Int, Part)]) -> (Int, Part) {
  (number, .message([(1, .text(name))] + parts))
}

enum Label: Int32 {
  case optional = 1
  case required = 2
  case repeated = 3
}

/// An optional field of a message; at `6` or, in a file, `7` an extension.
func field(
  _ name: String, _ fieldNumber: Int32, _ type: FieldType, named typeName: String = "", at number: Int = 2,
  _ parts: [(Int, Part)] = []
) -> (Int, Part) {
  field(name, fieldNumber, type, .optional, named: typeName, at: number, parts)
}

/// A field of any label.
func field(
  _ name: String, _ fieldNumber: Int32, _ type: FieldType, _ label: Label, named typeName: String = "",
  at number: Int = 2, _ parts: [(Int, Part)] = []
) -> (Int, Part) {
  var all: [(Int, Part)] = [
    (1, .text(name)), (3, .number(fieldNumber)), (4, .number(label.rawValue)), (5, .number(Int32(type.rawValue))),
  ]
  if !typeName.isEmpty { all.append((6, .text(typeName))) }
  return (number, .message(all + parts))
}

/// An enum of a file; `4` in a message.
func enumeration(_ name: String, _ values: [(String, Int32)], at number: Int = 5, _ parts: [(Int, Part)] = [])
  -> (Int, Part)
{
  (number, .message([(1, .text(name))] + values.map { (2, [(1, .text($0.0)), (2, .number($0.1))]) } + parts))
}

/// What a pool says of files that it refuses.
func refusal(_ files: [[UInt8]], limits: DescriptorPool.Limits = .init()) -> SchemaError? {
  do throws(SchemaError) {
    _ = try DescriptorPool(files: files, limits: limits)
    return nil
  } catch { return error }
}
