// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The parameters of a query, one by one: parts between `&`, each a name and behind the first `=` a value. In both, `+`
/// is a space and escapes are decoded. Empty parts are passed over.
struct QueryParameters {
  struct Parameter {
    let name: ArraySlice<UInt8>
    let value: ArraySlice<UInt8>
  }

  private var rest: ArraySlice<UInt8>
  /// How many more parameters are taken.
  private var left: Int

  init(_ query: ArraySlice<UInt8>, limit: Int) {
    rest = query
    left = limit
  }

  /// The next one; nil at the end.
  mutating func next() throws(TranscodingError) -> Parameter? {
    while !rest.isEmpty {
      let end = rest.firstIndex(of: 0x26) ?? rest.endIndex
      let part = rest[rest.startIndex..<end]
      rest = end < rest.endIndex ? rest[(end + 1)...] : []
      if part.isEmpty { continue }
      guard left > 0 else { throw TranscodingError(.query, "the query has too many parameters") }
      left -= 1
      let equals = part.firstIndex(of: 0x3D) ?? part.endIndex
      let raw = part[..<equals]
      guard let name = PercentCoding.decode(raw, plusIsSpace: true),
        let value = PercentCoding.decode(part[min(equals + 1, part.endIndex)...], plusIsSpace: true)
      else {
        throw TranscodingError(
          .query, "the parameter " + Self.shown(raw) + " has a \"%\" without two hexadecimal digits behind it")
      }
      return Parameter(name: name, value: value)
    }
    return nil
  }

  /// A name, cut and safe to print.
  static func shown(_ name: ArraySlice<UInt8>) -> String {
    String(decoding: name.prefix(80), as: UTF8.self).quoted
  }
}
