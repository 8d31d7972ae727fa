// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// A `hosts` file: addresses and their names. The file is kept as it is and looked through anew each time, so that it
/// takes no more memory than it has bytes.
public struct HostsFile: Sendable {
  /// One line: an address and its names.
  public struct Entry: Equatable, Sendable {
    /// The line's number, from 1.
    public let line: Int
    /// The address.
    public let address: IPAddress
    /// The names, the first of which is the canonical one and the others are aliases. They need not be safe to print.
    public let names: [String]
  }

  /// What has no effect: the first twenty such places.
  public var remarks: [LineRemark] { allRemarks.kept }
  /// How many such places there are.
  public var remarkCount: Int { allRemarks.count }

  private let bytes: [UInt8]
  private var allRemarks = LineRemarks()

  /// How much of a file is read, in bytes: the large ones, which block advertisers, have about as much.
  public static let maxFileLength = 4 << 20
  /// The longest line that is read, in bytes.
  public static let maxLineLength = 8192
  /// How many entries a look-up gives at most.
  public static let maxEntries = 256

  /// Reads a file's content; a missing file is an empty one.
  public init(_ file: [UInt8]) {
    bytes = file.count > Self.maxFileLength ? Array(file.prefix(Self.maxFileLength)) : file
    var lines = LineReader(bytes)
    while let line = lines.next() { _ = Self.read(line, lines.number, &allRemarks) }
    if file.count > Self.maxFileLength { allRemarks.append(lines.number, .fileTooLong, []) }
  }

  /// The entries that have a name, as canonical name or as alias and in either case, in the file's order.
  public func entries(named name: String) -> [Entry] {
    entries { entry in entry.names.contains { $0.equalsIgnoringASCIICase(name) } }
  }

  /// The entries of an address, in the file's order.
  public func entries(at address: IPAddress) -> [Entry] { entries { $0.address == address } }

  private func entries(where isWanted: (Entry) -> Bool) -> [Entry] {
    var found: [Entry] = []
    var ignored = LineRemarks()
    var lines = LineReader(bytes)
    while found.count < Self.maxEntries, let line = lines.next() {
      if let entry = Self.read(line, lines.number, &ignored), isWanted(entry) { found.append(entry) }
    }
    return found
  }

  private static func read(_ line: ArraySlice<UInt8>, _ number: Int, _ remarks: inout LineRemarks) -> Entry? {
    let content = line.prefix { $0 != 0x23 }
    guard content.count <= maxLineLength else {
      remarks.append(number, .lineTooLong, [])
      return nil
    }
    let words = content.split(whereSeparator: isSpace)
    guard let first = words.first else { return nil }
    guard let address = IPAddress(String(decoding: first, as: UTF8.self)) else {
      remarks.append(number, .badAddress, first)
      return nil
    }
    guard words.count > 1 else {
      remarks.append(number, .noName, first)
      return nil
    }
    return Entry(line: number, address: address, names: words.dropFirst().map { String(systemBytes: Array($0)) })
  }

  /// Whether a byte is white space to the C library, which all separates words here.
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
