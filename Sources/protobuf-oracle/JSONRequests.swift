// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// Reads a message from JSON and encodes it; the options' first byte is not 0 where what is not known is passed over.
func read(
  json: ArraySlice<UInt8>, _ type: MessageDescriptor, _ flags: ArraySlice<UInt8>
) throws(MappingError) -> [UInt8] {
  var options = JSONReadingOptions()
  options.ignoresUnknown = (flags.first ?? 0) != 0
  let message = try DynamicMessage(json: json, as: type, options: options)
  var encoded: [UInt8] = []
  do throws(MessageError) { try message.encode(into: &encoded) } catch { fatalError(error.message) }
  return encoded
}

/// Writes a message as JSON; the bits of the options' first byte: 1 unset fields too, 2 the schema's names, 4 enums as
/// numbers, 8 indented.
func written(
  _ bytes: ArraySlice<UInt8>, _ type: MessageDescriptor, _ flags: ArraySlice<UInt8>
) throws(MappingError) -> [UInt8] {
  let bits = flags.first ?? 0
  var options = JSONWritingOptions()
  options.writesUnset = bits & 1 != 0
  options.usesProtoNames = bits & 2 != 0
  options.writesEnumsAsNumbers = bits & 4 != 0
  options.isIndented = bits & 8 != 0
  let message: DynamicMessage
  do throws(MessageError) {
    message = try DynamicMessage(decoding: bytes, as: type, allowsMissingRequired: true)
  } catch { fatalError(error.message) }
  var json: [UInt8] = []
  try message.writeJSON(into: &json, options: options)
  return json
}
