// SPDX-License-Identifier: Apache-2.0

/// Paths of field masks: with underscores in messages, in lowerCamelCase in JSON.
enum FieldMaskText {
  /// The paths of a text, which has a comma between each two; nil where one is empty, or would not come back the same.
  static func paths(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
    guard !text.isEmpty else { return [] }
    var paths: [ArraySlice<UInt8>] = []
    for part in text.split(separator: 0x2C, omittingEmptySubsequences: false) {
      guard !part.isEmpty, !part.contains(0x5F) else { return nil }
      guard part.contains(where: { $0.isCapital }) else {
        paths.append(part)
        continue
      }
      var path: [UInt8] = []
      path.reserveCapacity(part.count + 4)
      for byte in part {
        if byte.isCapital { path.append(0x5F) }
        path.append(byte.isCapital ? byte | 0x20 : byte)
      }
      paths.append(path[...])
    }
    return paths
  }

  /// Appends a path in lowerCamelCase; false, with anything appended, where it would not come back the same: an empty
  /// one, one with capitals, and one with an underscore before anything but a small letter.
  static func append(_ path: ArraySlice<UInt8>, to text: inout [UInt8]) -> Bool {
    guard !path.isEmpty else { return false }
    var isCapital = false
    for byte in path {
      guard !byte.isCapital, byte != 0x2C else { return false }
      if isCapital {
        guard byte &- 0x61 < 26 else { return false }
        text.append(byte - 0x20)
        isCapital = false
      } else if byte == 0x5F {
        isCapital = true
      } else {
        text.append(byte)
      }
    }
    return !isCapital
  }
}

extension UInt8 {
  fileprivate var isCapital: Bool { self &- 0x41 < 26 }
}
