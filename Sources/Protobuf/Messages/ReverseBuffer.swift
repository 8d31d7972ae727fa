// SPDX-License-Identifier: Apache-2.0

/// Bytes that are written from their end to their start.
@safe struct ReverseBuffer: ~Copyable {
  // Memory of the buffer's own, freed with it. What was written lies at its end: from `head` to `capacity`.
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var head: Int

  /// An empty buffer.
  init() {
    capacity = 256
    head = capacity
    unsafe memory = .allocate(capacity: capacity)
  }

  deinit { unsafe memory.deallocate() }

  /// How many bytes were written.
  var count: Int { capacity - head }

  /// Appends what was written to bytes.
  func append(to bytes: inout [UInt8]) {
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: memory + head, count: count))
  }

  /// Makes room for so many bytes in front.
  @inline(__always)
  private mutating func reserve(_ size: Int) {
    if head < size { grow(size) }
  }

  private mutating func grow(_ size: Int) {
    let larger = max(capacity * 2, count + size)
    let next = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    let start = larger - count
    unsafe (next + start).update(from: memory + head, count: count)
    unsafe memory.deallocate()
    unsafe memory = next
    head = start
    capacity = larger
  }

  mutating func write(_ bytes: ArraySlice<UInt8>) {
    let size = bytes.count
    reserve(size)
    head -= size
    unsafe bytes.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { unsafe (memory + head).update(from: start, count: size) }
    }
  }

  @inline(__always)
  mutating func writeVarint(_ value: UInt64) {
    if value < 0x80 {
      reserve(1)
      head -= 1
      unsafe memory[head] = UInt8(truncatingIfNeeded: value)
      return
    }
    // Seven bits a byte.
    let size = (70 - value.leadingZeroBitCount) / 7
    reserve(size)
    head -= size
    var rest = value
    for place in head..<head + size - 1 {
      unsafe memory[place] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
    }
    unsafe memory[head + size - 1] = UInt8(truncatingIfNeeded: rest)
  }

  @inline(__always)
  mutating func writeFixed32(_ value: UInt32) {
    reserve(4)
    head -= 4
    unsafe UnsafeMutableRawPointer(memory + head).storeBytes(of: value.littleEndian, as: UInt32.self)
  }

  @inline(__always)
  mutating func writeFixed64(_ value: UInt64) {
    reserve(8)
    head -= 8
    unsafe UnsafeMutableRawPointer(memory + head).storeBytes(of: value.littleEndian, as: UInt64.self)
  }
}
