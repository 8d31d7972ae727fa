// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// An open directory of the kernel's, read without a copy of every name.
struct Directory: ~Copyable {
  private let file: FileDescriptor

  init?(_ path: String) { self.init(at: AT_FDCWD, Array(path.utf8)) }

  private init?(at parent: Int32, _ path: [UInt8]) {
    let path = path.map { CChar(bitPattern: $0) } + [0]
    let number = unsafe sonde_openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    file = FileDescriptor(adopting: number)
  }

  func open(_ path: [UInt8]) -> Directory? { Directory(at: file.number, path) }

  /// Where an entry's name begins: behind its inode (8 bytes), its offset (8), its length (2) and its type (1).
  private static let nameOffset = 19
  /// The longest entry, with a name of 255 bytes: where more room than this is left, there was no further one.
  private static let longest = 280
  /// The room for entries that are read at once.
  private static let room = 32 << 10

  /// Calls the body with each name but `.` and `..`, until it says false.
  func forEach(_ body: ([UInt8]) -> Bool) {
    _ = unsafe forEachEntry(room: Self.room, isBounded: false) { name in
      unsafe body(Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
    }
  }

  /// Calls the body with the inode of each socket that an entry links to, until it says false. With a limit, only about
  /// the first that many entries are looked at.
  ///
  /// - Returns: whether nothing is left that was not looked at, and whether an entry was there and what it links to may
  ///   not be seen: who owns a process may read the names, and with another group not the links.
  func forEachSocket(limit: Int? = nil, _ body: (UInt32) -> Bool) -> (isDone: Bool, isDenied: Bool) {
    var isDenied = false
    // The entry of a descriptor takes 24 bytes.
    let room = limit.map { $0 * 24 + Self.longest } ?? Self.room
    let isDone = unsafe forEachEntry(room: room, isBounded: limit != nil) { name in
      switch unsafe socketInode(name) {
      case .success(let inode?): return body(inode)
      case .success(nil): return true
      case .failure:
        isDenied = true
        return false
      }
    }
    return (isDone || isDenied, isDenied)
  }

  /// A link that may not be read.
  private struct Denial: Error {}

  /// Calls the body with each name but `.` and `..`, which ends with a zero and is gone when the body returns, until it
  /// says false; bounded to what fits the room once. The result says whether the end was reached.
  private func forEachEntry(room: Int, isBounded: Bool, _ body: (UnsafePointer<CChar>) -> Bool) -> Bool {
    var buffer = [UInt8](repeating: 0, count: room)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe sonde_getdents(file.number, $0.baseAddress, room) }
      guard count > 0 else { return true }
      var offset = 0
      while count - offset > Self.nameOffset {
        let length = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
        guard length > Self.nameOffset, length <= count - offset else { return true }
        let range = offset + Self.nameOffset..<offset + length
        // Behind the zero that ends the name, anything may stand.
        guard buffer[range].contains(0) else { return true }
        offset += length
        let isOther = buffer[range].starts(with: [0x2E, 0]) || buffer[range].starts(with: [0x2E, 0x2E, 0])
        // The name ends with a zero inside of the buffer, which nobody writes before the body has returned.
        let goesOn =
          unsafe isOther
          || buffer.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe body((start + range.lowerBound).assumingMemoryBound(to: CChar.self))
          }
        if !goesOn { return false }
      }
      if room - count >= Self.longest { return true }
      if isBounded { return false }
    }
  }

  /// What a name links to; empty where it may not be seen.
  func link(_ path: [UInt8]) -> [UInt8] {
    let path = path.map { CChar(bitPattern: $0) } + [0]
    var count = 0
    let target = unsafe [CChar](unsafeUninitializedCapacity: 256) { buffer, used in
      guard let start = buffer.baseAddress else { return }
      count = unsafe readlinkat(file.number, path, start, buffer.count)
      used = max(0, count)
    }
    return target.map { UInt8(bitPattern: $0) }
  }

  /// The inode of the socket that a name, which ends with a zero, links to; nil where it links to something else.
  private func socketInode(_ name: UnsafePointer<CChar>) -> Result<UInt32?, Denial> {
    // `socket:[` and `]` around at most ten digits.
    let room = 24
    var link: InlineArray<24, UInt8> = .init(repeating: 0)
    var span = link.mutableSpan
    let count = unsafe span.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return unsafe readlinkat(file.number, name, start.assumingMemoryBound(to: CChar.self), room)
    }
    if count < 0, sonde_errno() == EACCES || sonde_errno() == EPERM { return .failure(Denial()) }
    guard count > 9, count < room, link[0] == 0x73, link[7] == 0x5B, link[count - 1] == 0x5D else {
      return .success(nil)
    }
    var inode: UInt32 = 0
    for index in 8..<(count - 1) {
      guard link[index].isASCIIDigit else { return .success(nil) }
      let (product, overflow) = inode.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt32(link[index] - 0x30))
      guard !overflow, !carry else { return .success(nil) }
      inode = sum
    }
    return .success(inode)
  }
}
