// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// Files as the tools read them: whole, once, and bounded.
public enum Files {
  /// The largest file that is read unless the caller says otherwise: certificate bundles have a quarter of a megabyte.
  public static let defaultLimit = 8 << 20

  /// Reads a whole file.
  ///
  /// Throws the error of `open` or `read`; `read` with ``Errno/fileTooLarge`` where the file has more than `limit`
  /// bytes. The file is opened without waiting, so that a FIFO nobody writes to cannot hang the caller: it reads as
  /// empty.
  public static func read(_ path: String, limit: Int = defaultLimit) throws(SystemError) -> [UInt8] {
    let number = unsafe path.withSystemPath { unsafe sonde_open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard number >= 0 else { throw SystemError("open") }
    let file = FileDescriptor(adopting: number)
    var bytes: [UInt8] = []
    var room = 64 << 10
    while true {
      bytes.reserveCapacity(bytes.count + room)
      let chunk = try readChunk(file.number, atMost: room)
      if chunk.isEmpty { return bytes }
      guard bytes.count + chunk.count <= limit else { throw SystemError("read", errno: Errno.fileTooLarge) }
      if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
      room = 256 << 10
    }
  }

  /// Reads a whole plain file as a process sees it that has a root directory: whatever links lead to it are somebody
  /// else's, and lead nowhere else. Nil where it is not there.
  ///
  /// Throws the error of `open` or `read`; what is no plain file, and might never end, is an invalid argument.
  static func read(_ path: String, inRoot root: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
    let rootNumber = unsafe root.withSystemPath { unsafe sonde_open($0, O_PATH | O_DIRECTORY | O_CLOEXEC) }
    guard rootNumber >= 0 else { throw SystemError("open") }
    let directory = FileDescriptor(adopting: rootNumber)
    let number = unsafe path.withSystemPath { path in
      unsafe sonde_open_in_root(directory.number, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    }
    if number < 0, sonde_errno() == ENOENT { return nil }
    guard number >= 0 else { throw SystemError("open") }
    let file = FileDescriptor(adopting: number)
    guard sonde_is_regular_file(file.number) == 1 else { throw SystemError("open", errno: EINVAL) }
    var bytes: [UInt8] = []
    while true {
      let chunk = try readChunk(file.number, atMost: 64 << 10)
      if chunk.isEmpty { return bytes }
      bytes += chunk
      guard bytes.count <= limit else { throw SystemError("read", errno: Errno.fileTooLarge) }
    }
  }

  /// Calls the body with each line of a file, without its end: the kernel's tables may be long, and are never held as a
  /// whole. What is longer than `limit` bytes is no line of them and is left out.
  ///
  /// Throws the error of `open` or `read`.
  public static func forEachLine(
    of path: String, limit: Int = 4_096, _ body: (ArraySlice<UInt8>) -> Void
  ) throws(SystemError) {
    let number = unsafe path.withSystemPath { unsafe sonde_open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard number >= 0 else { throw SystemError("open") }
    let file = FileDescriptor(adopting: number)
    var rest: [UInt8] = []
    while true {
      let chunk = try readChunk(file.number, atMost: 32 << 10)
      if chunk.isEmpty { break }
      rest += chunk
      var start = 0
      while let end = rest[start...].firstIndex(of: 0x0A) {
        if end - start <= limit { body(rest[start..<end]) }
        start = end + 1
      }
      rest.removeSubrange(..<start)
      // One byte more than may be is enough to know a line as too long, however long it is.
      if rest.count > limit { rest.removeSubrange((limit + 1)...) }
    }
    if !rest.isEmpty, rest.count <= limit { body(rest[...]) }
  }

  /// Whether there is something at a path, readable or not.
  public static func exists(_ path: String) -> Bool {
    unsafe path.withSystemPath { unsafe access($0, F_OK) } == 0
  }

  /// The names in a directory, sorted, `.` and `..` left out; at most `limit` of them.
  public static func list(_ path: String, limit: Int = 10_000) throws(SystemError) -> [String] {
    guard let directory = unsafe path.withSystemPath({ unsafe opendir($0) }) else { throw SystemError("opendir") }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while names.count < limit, let entry = unsafe readdir(directory) {
      let name = unsafe String(cString: sonde_dirent_name(entry))
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

/// Reads once from a descriptor; empty at the end.
func readChunk(_ number: Int32, atMost room: Int) throws(SystemError) -> [UInt8] {
  var outcome = 0
  let chunk = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
    repeat {
      outcome = unsafe CLinux.read(number, buffer.baseAddress, buffer.count)
    } while outcome < 0 && sonde_errno() == EINTR
    count = max(0, outcome)
  }
  guard outcome >= 0 else { throw SystemError("read") }
  return chunk
}

/// The process's environment and command line.
public enum Process {
  /// The command line's words, without the program's own name.
  public static var arguments: [String] {
    guard let words = unsafe sonde_argv() else { return [] }
    return (1..<max(1, Int(sonde_argc()))).compactMap { index in
      guard let word = unsafe words[index] else { return nil }
      return unsafe String(systemText: word)
    }
  }

  /// The value of an environment variable; nil where it is unset.
  public static func environment(_ name: String) -> String? {
    guard let value = unsafe name.withCString({ unsafe getenv($0) }) else { return nil }
    return unsafe String(systemText: value)
  }

  /// The commit that the program was built from, where the build said so.
  public static var commit: String? {
    guard let text = unsafe sonde_commit() else { return nil }
    return unsafe String(cString: text)
  }

  /// The machine's name, as programs in this place see it; empty where the kernel does not say.
  public static var hostName: String {
    // HOST_NAME_MAX is 64; a name that fills the room would have no zero at its end.
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(systemBytes: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
  }

  /// The C library's version.
  public static var libcVersion: String { unsafe String(cString: gnu_get_libc_version()) }

  /// Ends the process at once with an exit code; nothing is flushed, as nothing is buffered.
  public static func exit(_ code: Int32) -> Never { _exit(code) }
}

extension String {
  /// Text of the C library, kept byte for byte.
  fileprivate init(systemText text: UnsafePointer<CChar>) {
    self.init(systemBytes: unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
  }

  /// Hands the text to a system call as the bytes that the system knows it by.
  fileprivate func withSystemPath<T>(_ body: (UnsafePointer<CChar>) -> T) -> T {
    let bytes = systemBytes.map { CChar(bitPattern: $0) } + [0]
    return unsafe body(bytes)
  }
}
