// SPDX-License-Identifier: Apache-2.0

import CNghttp2

/// The fields of the latest header sections by their places.
///
/// A peer's messages are alike: most of their fields have the same bytes at the same place as those of the message
/// before. Such a field is taken over as it is, and its strings are neither checked nor allocated again.
struct FieldMemory {
  private struct Place {
    /// The name and behind it the value, as they came; empty where the field is not remembered.
    var bytes: [UInt8]
    var nameCount: Int
    var field: HeaderField
  }

  private var places: [Place] = []

  /// Places that are remembered. A gRPC request has about ten fields.
  static let maxPlaces = 16
  /// The largest field that is remembered, in bytes of name and value.
  static let maxFieldSize = 128

  /// The field that the bytes stand for, at its place in a section.
  mutating func field(
    at index: Int, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, isSensitive: Bool
  ) -> HeaderField {
    // What must not enter a compression table is not kept here either.
    if !isSensitive, index < places.count, unsafe holds(index, name, value) { return places[index].field }
    let field = unsafe HeaderField(
      String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self), isSensitive: isSensitive)
    let isKept = !isSensitive && name.count + value.count <= FieldMemory.maxFieldSize
    if index == places.count, index < FieldMemory.maxPlaces {
      places.append(Place(bytes: [], nameCount: 0, field: HeaderField("", "")))
    }
    guard index < places.count else { return field }
    places[index].bytes.removeAll(keepingCapacity: true)
    places[index].field = isKept ? field : HeaderField("", "")
    if isKept {
      unsafe places[index].bytes.append(contentsOf: name)
      unsafe places[index].bytes.append(contentsOf: value)
      places[index].nameCount = name.count
    }
    return field
  }

  /// Whether the field at a place came as these bytes.
  private func holds(
    _ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard places[index].nameCount == name.count, places[index].bytes.count == name.count + value.count,
      let name = name.baseAddress
    else { return false }
    let nameCount = places[index].nameCount
    return unsafe places[index].bytes.withUnsafeBufferPointer { bytes in
      guard let kept = bytes.baseAddress, unsafe memcmp(kept, name, nameCount) == 0 else { return false }
      guard bytes.count > nameCount, let value = value.baseAddress else { return bytes.count == nameCount }
      return unsafe memcmp(kept + nameCount, value, bytes.count - nameCount) == 0
    }
  }
}
