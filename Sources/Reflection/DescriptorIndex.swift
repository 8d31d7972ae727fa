// SPDX-License-Identifier: Apache-2.0

public import Protobuf

/// Why descriptors cannot be indexed.
public struct DescriptorError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Error, Equatable, Sendable {
    /// The bytes are no Protobuf message.
    case malformed(WireError)
    /// A file or a symbol has no name, or one that cannot be its own.
    case unnamed
    /// A full name has more than 512 bytes.
    case nameTooLong
    /// Messages nest deeper than 32.
    case tooDeep
    /// There are more files than the index takes.
    case tooManyFiles
    /// There are more symbols than the index takes.
    case tooManySymbols
    /// Two different files have one name.
    case conflictingFile(String)
    /// Two declarations have one full name.
    case conflictingSymbol(String)
  }

  /// What was wrong.
  public let code: Code
  /// The place of the file, among those that were given, where it was found.
  public let file: Int

  init(_ code: Code, file: Int) {
    self.code = code
    self.file = file
  }
}

/// Finds files of descriptors by their names and by what they declare.
public struct DescriptorIndex: Sendable {
  /// How much an index takes.
  public struct Limits: Sendable {
    /// Files.
    public var files = 4_096
    /// Declarations over all files: services, methods, messages, fields, oneofs, enums, their values, extensions, and
    /// what a file says beside them: imports, ranges and reserved names.
    public var symbols = 200_000

    /// The limits that are enough for the schemas of a large organisation.
    public init() {}
  }

  private struct File {
    let name: String
    let bytes: [UInt8]
    let dependencies: [String]
  }

  private struct Symbol {
    let file: Int
    let kind: DescriptorScan.Kind
  }

  private var files: [File] = []
  private var places: [String: Int] = [:]
  private var symbols: [String: Symbol] = [:]
  private var extensions: [String: [Int32: Int]] = [:]

  /// An index of nothing.
  public init() {}

  /// An index of serialized `FileDescriptorProto`s, in any order. A file that is given twice counts once; imports may
  /// be missing.
  public init(_ descriptors: [[UInt8]], limits: Limits = Limits()) throws(DescriptorError) {
    for (number, bytes) in descriptors.enumerated() {
      do throws(DescriptorError.Code) { try add(bytes, limits) } catch { throw DescriptorError(error, file: number) }
    }
  }

  /// An index of a serialized `FileDescriptorSet`, as `protoc --descriptor_set_out` writes it.
  public init(set bytes: [UInt8], limits: Limits = Limits()) throws(DescriptorError) {
    let descriptors: [[UInt8]]
    do throws(WireError) { descriptors = try FileDeclaration.files(of: bytes, limit: limits.files) } catch {
      throw DescriptorError(.malformed(error), file: 0)
    }
    guard descriptors.count <= limits.files else { throw DescriptorError(.tooManyFiles, file: limits.files) }
    try self.init(descriptors, limits: limits)
  }

  /// The names of the files, sorted.
  public var fileNames: [String] { places.keys.sorted() }

  /// The full names of the services that the files declare, sorted.
  public var services: [String] {
    var names: [String] = []
    for (name, symbol) in symbols where symbol.kind == .service { names.append(name) }
    return names.sorted()
  }

  /// The file of a name, and behind it every file of the index that it imports, directly or not, each once.
  public func files(named name: String) -> [[UInt8]]? { place(named: name).map { bytes(of: closure(of: $0)) } }

  /// The file that declares a symbol, with its imports as in ``files(named:)``.
  public func files(declaring symbol: String) -> [[UInt8]]? {
    place(declaring: symbol).map { bytes(of: closure(of: $0)) }
  }

  /// The file that extends a message by a field number, with its imports as in ``files(named:)``.
  public func files(extending type: String, number: Int32) -> [[UInt8]]? {
    place(extending: type, number: number).map { bytes(of: closure(of: $0)) }
  }

  /// The field numbers of a message's extensions, ascending; nil where no such message is known.
  public func extensionNumbers(of type: String) -> [Int32]? {
    guard let known = extensions[type] else { return symbols[type]?.kind == .message ? [] : nil }
    return known.keys.sorted()
  }

  // MARK: - Places of files

  func place(named name: String) -> Int? { places[name] }

  func place(declaring symbol: String) -> Int? { symbols[symbol]?.file }

  func place(extending type: String, number: Int32) -> Int? { extensions[type]?[number] }

  func bytes(of places: [Int]) -> [[UInt8]] { places.map { files[$0].bytes } }

  private mutating func add(_ bytes: [UInt8], _ limits: Limits) throws(DescriptorError.Code) {
    guard files.count < limits.files else { throw .tooManyFiles }
    let scan = try DescriptorScan(bytes, symbolLimit: limits.symbols - symbols.count)
    if let known = places[scan.name] {
      guard files[known].bytes == bytes else { throw .conflictingFile(scan.name) }
      return
    }
    let place = files.count
    for symbol in scan.symbols {
      guard symbols[symbol.name] == nil else { throw .conflictingSymbol(symbol.name) }
      symbols[symbol.name] = Symbol(file: place, kind: symbol.kind)
    }
    for found in scan.extensions {
      guard extensions[found.type]?[found.number] == nil else { throw .conflictingSymbol(found.type) }
      extensions[found.type, default: [:]][found.number] = place
    }
    places[scan.name] = place
    files.append(File(name: scan.name, bytes: bytes, dependencies: scan.dependencies))
  }

  /// Walks the imports breadth first. Files that import each other, which protoc refuses, end the walk all the same.
  func closure(of first: Int) -> [Int] {
    var order = [first]
    var seen: Set<Int> = [first]
    var next = 0
    while next < order.count {
      for name in files[order[next]].dependencies {
        if let place = places[name], seen.insert(place).inserted { order.append(place) }
      }
      next += 1
    }
    return order
  }
}
