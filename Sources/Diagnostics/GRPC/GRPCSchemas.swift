// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import Protobuf
internal import Sys

/// The schemas of a command: those of descriptor sets, or those that a server tells by reflection.
final class GRPCSchemas {
  /// The most files, and the most bytes of them, that a server's schemas may come to.
  private static let fileLimit = 4_096
  private static let byteLimit = 64 << 20
  /// How many types of an `Any` a server is asked for: an answer may name as many as it likes.
  private static let typeLimit = 64

  /// What `--protoset` gave; nil where the server is asked.
  private let given: [[UInt8]]?
  private let reflection: ReflectionClient?
  /// Who tells, as messages name it.
  private let source: String

  /// Files that the server has sent, by name.
  private var files: [String: [UInt8]] = [:]
  private var byteCount = 0
  /// Imports that are still to be asked for.
  private var wanted: [String] = []
  /// Imports that the server does not have.
  private var missing: Set<String> = []
  /// Types of an `Any` that the server was asked for, whether it had them or not.
  private var asked: Set<String> = []
  /// The pool that was linked last, and of how many of the server's files: more may have come since.
  private var linked: (fileCount: Int, pool: DescriptorPool)?

  /// Schemas of serialized `FileDescriptorProto`s.
  init(files: [[UInt8]]) { (given, reflection, source) = (files, nil, "the descriptor set") }

  /// Schemas that a server tells, until a deadline.
  init(_ connection: GRPCConnection, until deadline: Deadline) {
    given = nil
    reflection = ReflectionClient(connection, until: deadline)
    source = connection.connection.peerName
  }

  /// Ends the questions to the server.
  func close() { reflection?.finish() }

  // MARK: - What there is

  /// The full names of all services, sorted.
  func services() throws(Problem) -> [String] {
    guard let reflection else { return try pool().services.map { $0.fullName }.sorted() }
    return try reflection.services().sorted()
  }

  /// The server's files, in an order that does not change from run to run.
  private var sortedFiles: [[UInt8]] { files.keys.sorted().compactMap { files[$0] } }

  /// A pool of all that was given, or of the files that declare some symbols and what they import.
  func pool(declaring symbols: [String] = []) throws(Problem) -> DescriptorPool {
    for symbol in symbols { try gather(symbol) }
    if let linked, linked.fileCount == files.count { return linked.pool }
    do throws(SchemaError) {
      let pool = try DescriptorPool(files: given ?? sortedFiles)
      linked = (files.count, pool)
      return pool
    } catch {
      throw Problem("SCHEMA_INVALID", "the schemas of \(source) do not fit together: \(error.message.safeForDisplay)")
    }
  }

  /// A pool of all that was given, or of all services of which the server tells more than their names.
  func poolOfServices() throws(Problem) -> (pool: DescriptorPool, services: [ServiceDescriptor]) {
    guard reflection != nil else {
      let pool = try pool()
      return (pool, pool.services)
    }
    let names = try services()
    for name in names {
      // Servers list services whose schemas they do not have, such as reflection itself.
      do throws(Problem) { try gather(name) } catch { guard error.code == "SYMBOL_NOT_FOUND" else { throw error } }
    }
    let pool = try pool()
    return (pool, names.compactMap { pool.service(named: $0) })
  }

  /// The file of a name, as others import it.
  func file(named name: String) throws(Problem) -> Protobuf.FileDescriptor {
    if reflection != nil {
      wanted.append(name)
      try gatherImports()
      missing.remove(name)
    }
    guard let found = try pool().file(named: name) else { throw unknown(name) }
    return found
  }

  /// A pool with what the server, or else netdiag, has of the types that an answer's `Any` holds and the answer's own
  /// pool has not; nil where nothing was learnt.
  func pool(with answer: DynamicMessage) -> DescriptorPool? { pool(with: answer.missingTypes(limit: Self.typeLimit)) }

  /// A pool with what the server, or else netdiag, has of some message types; nil where nothing was learnt.
  func pool(with types: [String]) -> DescriptorPool? {
    guard reflection != nil else { return nil }
    let count = files.count
    for name in types where asked.count < Self.typeLimit {
      guard asked.insert(name).inserted, (try? gather(name)) == nil else { continue }
      guard let known = WellKnownFiles.pool?.message(named: name)?.file.name else { continue }
      wanted.append(known)
      try? gatherImports()
    }
    return files.count > count ? try? pool() : nil
  }

  /// Asks the server for the file of a symbol, and for all that it imports.
  private func gather(_ symbol: String) throws(Problem) {
    guard let reflection else { return }
    guard let answer = try reflection.files(declaring: symbol) else { throw unknown(symbol) }
    try take(answer)
    try gatherImports()
  }

  private func gatherImports() throws(Problem) {
    guard let reflection else { return }
    while let name = wanted.popLast() {
      guard files[name] == nil, !missing.contains(name) else { continue }
      if let answer = try reflection.files(named: name) { try take(answer) }
      if files[name] == nil, let known = WellKnownFiles.files[name] { try take([known]) }
      if files[name] == nil { missing.insert(name) }
    }
  }

  private func take(_ answer: [[UInt8]]) throws(Problem) {
    for file in answer {
      let header: FileHeader
      do throws(WireError) { header = try FileHeader(file) } catch {
        throw Problem("REFLECTION_FAILED", "\(source) sent a file that is no FileDescriptorProto")
      }
      guard files[header.name] == nil else { continue }
      byteCount += file.count
      guard files.count < Self.fileLimit, byteCount <= Self.byteLimit else {
        throw Problem(
          "REFLECTION_FAILED",
          "the schemas of \(source) are more than \(Self.fileLimit) files or \(Self.byteLimit >> 20) MiB")
      }
      files[header.name] = file
      wanted += header.imports
    }
  }

  func unknown(_ symbol: String) -> Problem {
    Problem("SYMBOL_NOT_FOUND", "\(source) has no \(symbol.quoted): netdiag grpc list tells what there is")
  }
}

// MARK: - From the command line

/// What a command that works on schemas was called with.
struct GRPCContext {
  /// The server; nil where descriptor sets are all that is asked.
  var target: GRPCTarget?
  /// The words behind it.
  let names: [String]
  /// What `--protoset` and `--proto` gave; nil where the server is asked.
  let files: [[UInt8]]?
  /// The end of `--max-time`.
  var deadline: Deadline

  /// Reads the operands: with `--protoset` or `--proto`, a word is a target only where it has a colon, which no symbol
  /// has.
  init(_ invocation: Invocation, needsTarget: Bool = false) throws(UsageError) {
    let flags = invocation.flags
    let sets = try Self.files(flags.list("protoset"))
    let sources = try Self.compiled(flags.list("proto"), flags.list("import-path"))
    guard sets == nil || sources == nil else { throw UsageError(line: "--protoset and --proto exclude each other") }
    files = sets ?? sources
    var words = flags.operands[...]
    let isTarget = files == nil || needsTarget || words.first.map { $0.utf8.contains(0x3A) } ?? false
    if isTarget {
      guard let first = words.popFirst() else { throw UsageError(line: "name a target, as HOST:PORT") }
      target = try GRPCTarget(invocation, first)
    } else {
      target = nil
    }
    names = Array(words)
    deadline = try Self.deadline(invocation)
  }

  /// A context of these parts.
  init(target: GRPCTarget?, names: [String], files: [[UInt8]]?, deadline: Deadline) {
    (self.target, self.names, self.files, self.deadline) = (target, names, files, deadline)
  }

  /// The end of `--max-time`.
  static func deadline(_ invocation: Invocation) throws(UsageError) -> Deadline {
    let time = invocation.flags.duration("max-time")
    guard time > 0 || !invocation.flags.isGiven("max-time") else {
      throw UsageError(line: "--max-time must be greater than zero")
    }
    return time > 0 ? Deadline(nanoseconds: time) : .never
  }

  /// Runs a body with the schemas, and with a connection where there is a server to ask or to call.
  func withSchemas(
    _ waiter: Waiter?, _ body: (GRPCSchemas, GRPCConnection?) throws(Problem) -> Void
  ) throws(Problem) {
    guard let target, let waiter else { return try body(GRPCSchemas(files: files ?? []), nil) }
    let connection = try target.connect(waiter, until: deadline)
    let schemas = files.map { GRPCSchemas(files: $0) } ?? GRPCSchemas(connection, until: deadline)
    defer {
      schemas.close()
      connection.connection.close()
    }
    try body(schemas, connection)
  }

  /// What some .proto files and all that they import compile to; nil where there is none.
  private static func compiled(_ names: [String], _ folders: [String]) throws(UsageError) -> [[UInt8]]? {
    guard !names.isEmpty else {
      guard folders.isEmpty else { throw UsageError(line: "--import-path is of use with --proto alone") }
      return nil
    }
    let folders = folders.isEmpty ? ["."] : folders
    do throws(SourceError) {
      return try SchemaSource.compile(names, known: WellKnownFiles.files) { name in
        for folder in folders {
          let path = name.utf8.first == 0x2F ? name : folder + "/" + name
          do throws(SystemError) { return .success(try Files.read(path)) } catch {
            if error.errno != Errno.noSuchFile { return .failure(error.text) }
          }
        }
        return .missing
      }
    } catch { throw UsageError(line: error.message.safeForDisplay) }
  }

  /// The files of some descriptor sets, each once; nil where there is no set.
  static func files(_ paths: [String]) throws(UsageError) -> [[UInt8]]? {
    guard !paths.isEmpty else { return nil }
    var files: [[UInt8]] = []
    var names: Set<String> = []
    for path in paths {
      let bytes: [UInt8]
      do throws(SystemError) { bytes = try Files.read(path) } catch {
        throw UsageError(line: "cannot read \(path.quoted): \(error.text)")
      }
      do throws(WireError) {
        for file in try FileDeclaration.files(of: bytes) where names.insert(try FileHeader(file).name).inserted {
          files.append(file)
        }
      } catch { throw UsageError(line: "\(path.quoted) is no descriptor set of protoc's") }
    }
    return files
  }
}

extension Invocation {
  /// What waits for a server; nil where there is none.
  func waiter(for target: GRPCTarget?) throws(UsageError) -> Waiter? {
    guard let target else { return nil }
    do throws(Fault) { return try Waiter(for: target.text) } catch {
      throw UsageError(line: "signals cannot be handled: \(error.detail)")
    }
  }
}
