// SPDX-License-Identifier: Apache-2.0

internal import JSON

// Members of an object with their values: a value that is not known is null, so that the keys are always the same.
extension JSONWriter {
  mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  mutating func member(_ name: String, _ value: (some BinaryInteger)?) {
    key(name)
    // Numbers beyond 63 bits stand for "no limit" in the kernel.
    if let value { integer(Int64(clamping: value)) } else { null() }
  }

  mutating func member(_ name: String, _ value: Bool?) {
    key(name)
    if let value { boolean(value) } else { null() }
  }

  mutating func member(_ name: String, _ values: [String]?) {
    key(name)
    guard let values else { return null() }
    beginArray()
    for value in values { string(value) }
    endArray()
  }

  /// A time in nanoseconds, written in milliseconds with up to three places.
  mutating func milliseconds(_ name: String, _ nanoseconds: Int64?) {
    key(name)
    if let nanoseconds { thousandths(nanoseconds / 1_000) } else { null() }
  }

  /// A list of objects, each written between its braces by the body.
  mutating func members<T>(_ name: String, _ values: [T], _ body: (T, inout JSONWriter) -> Void) {
    key(name)
    beginArray()
    for value in values {
      beginObject()
      body(value, &self)
      endObject()
    }
    endArray()
  }
}
