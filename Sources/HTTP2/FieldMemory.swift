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
    var field: HeaderField

    func holds(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
      guard bytes.count == name.count + value.count, field.name.utf8.count == name.count, !bytes.isEmpty else {
        return false
      }
      return unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe FieldMemory.areEqual(bytes.baseAddress, name.baseAddress, name.count)
          && FieldMemory.areEqual(bytes.baseAddress?.advanced(by: name.count), value.baseAddress, value.count)
      }
    }
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
    if index < places.count, unsafe places[index].holds(name, value) {
      var field = places[index].field
      field.isSensitive = isSensitive
      return field
    }
    let field = unsafe HeaderField(
      String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self), isSensitive: isSensitive)
    // Whatever must not enter a compression table is not kept here either.
    let isKept = !isSensitive && name.count + value.count <= FieldMemory.maxFieldSize
    if index < places.count {
      places[index].bytes.removeAll(keepingCapacity: true)
    } else if index == places.count, index < FieldMemory.maxPlaces {
      places.append(Place(bytes: [], field: field))
    } else {
      return field
    }
    if isKept {
      unsafe places[index].bytes.append(contentsOf: name)
      unsafe places[index].bytes.append(contentsOf: value)
      places[index].field = field
    } else {
      places[index].field = HeaderField("", "")
    }
    return field
  }

  private static func areEqual(_ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
    guard count > 0, let left = unsafe left, let right = unsafe right else { return count == 0 }
    return unsafe memcmp(left, right, count) == 0
  }
}
