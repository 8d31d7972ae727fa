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

  /// Calls the body with each name but `.` and `..`, until it says false.
  func forEach(_ body: ([UInt8]) -> Bool) {
    let room = 32 << 10
    var buffer = [UInt8](repeating: 0, count: room)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe sonde_getdents(file.number, $0.baseAddress, room) }
      guard count > 0 else { return }
      var offset = 0
      // An entry: inode (8 bytes), offset (8), its length (2), its type (1), its name and a zero.
      while count - offset > 19 {
        let length = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
        guard length > 19, length <= count - offset else { return }
        let name = Array(buffer[(offset + 19)..<(offset + length)].prefix { $0 != 0 })
        offset += length
        if name != [0x2E], name != [0x2E, 0x2E], !body(name) { return }
      }
    }
  }

  /// The inode of the socket that a name links to; nil where it links to something else.
  func socketInode(_ name: [UInt8]) -> UInt32? {
    let name = name.map { CChar(bitPattern: $0) } + [0]
    var link = [CChar](repeating: 0, count: 40)
    let count = unsafe readlinkat(file.number, name, &link, link.count)
    let target = link.map { UInt8(bitPattern: $0) }
    let prefix = Array("socket:[".utf8)
    guard count > prefix.count + 1, target.starts(with: prefix), target[count - 1] == 0x5D else { return nil }
    return parseDecimal(target[prefix.count..<(count - 1)], atMost: Int(UInt32.max)).map { UInt32($0) }
  }
}
