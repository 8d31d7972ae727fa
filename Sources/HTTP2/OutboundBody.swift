// SPDX-License-Identifier: Apache-2.0

/// The bytes of one stream's body that wait to be framed, and what follows them.
struct OutboundBody {
  private var current: [UInt8] = []
  private var offset = 0
  private var rest: [[UInt8]] = []
  private var restHead = 0

  /// Bytes queued and not yet framed.
  private(set) var count = 0

  /// Whether nothing can be queued any more.
  private(set) var isEnded = false

  /// The trailers that end the stream after the last byte; nil where DATA does.
  private(set) var trailers: HeaderFields?

  mutating func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    if count == 0 {
      current = bytes
      offset = 0
    } else {
      rest.append(bytes)
    }
    count += bytes.count
  }

  mutating func end(trailers: HeaderFields? = nil) {
    isEnded = true
    self.trailers = trailers
  }

  /// Forgets everything that waits; for a stream that was cut off.
  mutating func discard() {
    self = OutboundBody()
    isEnded = true
  }

  /// Moves as many bytes as fit, across the pieces in which they were queued, and returns how many.
  mutating func move(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var moved = 0
    while count > 0, moved < buffer.count {
      let size = min(current.count - offset, buffer.count - moved)
      unsafe current.withUnsafeBytes { source in
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[moved..<moved + size])
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + size]))
      }
      moved += size
      offset += size
      count -= size
      if offset == current.count { advance() }
    }
    return moved
  }

  private mutating func advance() {
    offset = 0
    if restHead < rest.count {
      current = []
      swap(&current, &rest[restHead])
      restHead += 1
      if restHead == rest.count {
        rest.removeAll(keepingCapacity: true)
        restHead = 0
      }
    } else {
      current = []
    }
  }
}
