// SPDX-License-Identifier: Apache-2.0

/// A call's requests as frames, kept for as long as they may have to be sent again.
///
/// Each attempt remembers the index of the next frame to send; indices count from the call's first frame.
struct ReplayBuffer {
  private var frames: [[UInt8]] = []
  private var sizesBefore: [Int] = []
  private var start = 0
  private var total = 0

  /// Whether the last request is among them.
  var isEnded = false

  /// The index after the last frame.
  var endIndex: Int { start + frames.count }

  /// Bytes of the frames that are kept.
  var bytes: Int { total - (sizesBefore.first ?? total) }

  /// Bytes of the frames from an index on.
  func bytes(from index: Int) -> Int {
    let offset = index - start
    return sizesBefore.indices.contains(offset) ? total - sizesBefore[offset] : 0
  }

  mutating func append(_ frame: [UInt8]) {
    frames.append(frame)
    sizesBefore.append(total)
    total += frame.count
  }

  /// The frame at an index; nil where there is none, or none any more.
  subscript(index: Int) -> [UInt8]? {
    let offset = index - start
    return frames.indices.contains(offset) ? frames[offset] : nil
  }

  /// Forgets the frames before an index.
  mutating func discard(before index: Int) {
    let count = min(max(0, index - start), frames.count)
    frames.removeFirst(count)
    sizesBefore.removeFirst(count)
    start += count
  }
}
