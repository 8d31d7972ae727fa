// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// A network namespace of this machine, as people name it.
public enum NetworkNamespace: Equatable, Sendable {
  /// That of a process.
  case process(Int32)
  /// One that ip-netns(8) has made.
  case named(String)
  /// One that a file stands for.
  case path(String)

  /// Reads a name: digits are a process, what has a slash is a path, anything else a name; nil for what is none.
  public init?(_ text: String) {
    let bytes = text.systemBytes
    guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
    if bytes.contains(0x2F) {
      self = .path(text)
    } else if bytes.allSatisfy({ $0.isASCIIDigit }) {
      guard let number = parseDecimal(bytes, atMost: Int(Int32.max)), number > 0 else { return nil }
      self = .process(Int32(number))
    } else {
      guard bytes.count <= 255, text != ".", text != ".." else { return nil }
      self = .named(text)
    }
  }

  /// The file that stands for it.
  public var path: String {
    switch self {
    case .process(let id): "/proc/\(id)/ns/net"
    case .named(let name): "/run/netns/" + name
    case .path(let path): path
    }
  }

  /// Lets this thread, and those that it starts later, live in the namespace.
  ///
  /// Throws the error of `open`: EACCES where the process may not be traced; or of `setns`: EPERM without CAP_SYS_ADMIN
  /// over the namespace and this process's own, EINVAL where the file is no network namespace.
  public func enter() throws(SystemError) {
    let path = path.systemBytes.map { CChar(bitPattern: $0) } + [0]
    let number = unsafe sonde_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw SystemError("open") }
    let file = FileDescriptor(adopting: number)
    guard setns(file.number, CLONE_NEWNET) == 0 else { throw SystemError("setns") }
  }

  /// Lets this process look names up as those in the namespace do: the process's own `resolv.conf` and `hosts`, or
  /// those in `/etc/netns/NAME`, take the place of the files in `/etc`, in mounts that nobody else sees. A file that is
  /// not there changes nothing.
  ///
  /// - Returns: the files that cannot be used, each with the reason.
  public func useNames() -> [(path: String, error: SystemError)] {
    let root: String
    let folder: String
    switch self {
    case .process(let id): (root, folder) = ("/proc/\(id)/root/", "etc/")
    case .named(let name): (root, folder) = ("/", "etc/netns/" + name + "/")
    case .path: return []
    }
    var failures: [(path: String, error: SystemError)] = []
    var files: [(name: String, content: [UInt8])] = []
    for name in ["resolv.conf", "hosts"] {
      do throws(SystemError) {
        if let content = try Files.read(folder + name, inRoot: root) { files.append((name, content)) }
      } catch { failures.append((root + folder + name, error)) }
    }
    guard !files.isEmpty else { return failures }
    do throws(SystemError) { failures += try PrivateFiles.replace(files).map { (root + folder + $0, $1) } } catch {
      failures += files.map { (root + folder + $0.name, error) }
    }
    return failures
  }
}

/// Files of `/etc` that only this process sees.
private enum PrivateFiles {
  /// Puts contents into the place of files in `/etc`; which could not be, and why.
  ///
  /// A file of another mount namespace cannot be mounted in this one: it takes a copy, in a file system that is in
  /// memory. That one hides `/etc` for a moment, as no other folder is known to be there; what is below is reached by
  /// descriptors that were opened before.
  static func replace(_ files: [(name: String, content: [UInt8])]) throws(SystemError) -> [(String, SystemError)] {
    guard unshare(CLONE_NEWNS) == 0 else { throw SystemError("unshare") }
    guard sonde_keep_mounts_private() == 0 else { throw SystemError("mount") }
    let targets = files.map { open("/etc/" + $0.name, O_PATH | O_CLOEXEC) }
    defer { for target in targets where target >= 0 { _ = close(target) } }
    guard sonde_mount_memory() == 0 else { throw SystemError("mount") }
    defer { _ = sonde_detach_memory() }
    var failures: [(String, SystemError)] = []
    for (file, target) in zip(files, targets) {
      do throws(SystemError) {
        guard target >= 0 else { throw SystemError("open", errno: ENOENT) }
        let copy = FileDescriptor(adopting: open("/etc/" + file.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC))
        guard copy.number >= 0 else { throw SystemError("open") }
        let count = unsafe file.content.withUnsafeBytes { unsafe write(copy.number, $0.baseAddress, $0.count) }
        guard count == file.content.count else { throw SystemError("write") }
        let source = terminated("/etc/" + file.name)
        let place = terminated("/proc/self/fd/\(target)")
        guard unsafe sonde_bind_mount(source, place) == 0 else { throw SystemError("mount") }
      } catch { failures.append((file.name, error)) }
    }
    return failures
  }

  private static func open(_ path: String, _ flags: Int32) -> Int32 { unsafe sonde_create(terminated(path), flags) }

  private static func terminated(_ path: String) -> [CChar] { path.systemBytes.map { CChar(bitPattern: $0) } + [0] }
}
