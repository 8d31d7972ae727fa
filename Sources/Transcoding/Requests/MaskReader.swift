// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Protobuf

/// Finds which fields stand in a document, as paths of a field mask: down to what is set as a whole, which are scalars,
/// lists, maps, objects without members, and messages that are values, such as timestamps.
///
/// A member that names no field is refused, however lenient the reading is otherwise: without it the mask would tell
/// the service to change less than the client meant.
struct MaskReader {
  /// An object that is open.
  private struct Object {
    let type: MessageDescriptor
    let prefix: String
    var isEmpty = true
  }

  private var reader: JSONReader
  private var open: [Object]
  private var found: [String] = []

  init(_ document: ArraySlice<UInt8>, _ type: MessageDescriptor, limits: MessageLimits) {
    var bounds = JSONLimits()
    bounds.bytes = limits.bytes
    bounds.depth = min(limits.depth, 1 << 20) * 2 + 2
    reader = JSONReader(document, limits: bounds)
    open = [Object(type: type, prefix: "")]
  }

  /// The paths in the order of the document, which was read as the message and found to be right.
  mutating func paths() throws(TranscodingError) -> [String] {
    do throws(JSONError) {
      guard try reader.next() == .beginObject else { return [] }
    } catch { throw TranscodingError(.body, error.message) }
    while !open.isEmpty {
      switch try next() {
      case .key: try member()
      case .endObject:
        let object = open.removeLast()
        if object.isEmpty, !open.isEmpty { found.append(object.prefix) }
      default: return found
      }
    }
    return found
  }

  private mutating func next() throws(TranscodingError) -> JSONToken? {
    do throws(JSONError) { return try reader.next() } catch { throw TranscodingError(.body, error.message) }
  }

  /// Looks at a member behind its key.
  private mutating func member() throws(TranscodingError) {
    let object = open[open.count - 1]
    let name = String(decoding: reader.text, as: UTF8.self)
    guard let field = object.type.field(jsonName: name) else {
      let path = (object.prefix.isEmpty ? "" : object.prefix + ".") + name.shortened(toUTF8Count: 80)
      throw TranscodingError(.body, field: path, object.type.fullName + " has no such field")
    }
    open[open.count - 1].isEmpty = false
    let path = (object.prefix.isEmpty ? "" : object.prefix + ".") + field.name
    let token = try next()
    if token == .beginObject, !field.isMap, let inner = field.message, !inner.hasOwnJSONForm {
      open.append(Object(type: inner, prefix: path))
      return
    }
    // No mask names an extension.
    if !field.isExtension { found.append(path) }
    guard let token else { return }
    do throws(JSONError) { try reader.skipRest(of: token) } catch { throw TranscodingError(.body, error.message) }
  }
}
