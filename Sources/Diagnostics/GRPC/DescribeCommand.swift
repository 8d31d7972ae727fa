// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Flags
internal import JSON
internal import Protobuf
internal import Sys

/// `netdiag grpc describe [HOST:PORT] [SYMBOL|FILE.proto…]`.
let grpcDescribeCommand = Netdiag.Command(
  "grpc describe", summary: "prints services, methods, messages and enums as .proto files have them",
  operands: "[HOST:PORT] [SYMBOL|FILE.proto…]",
  groups: [GRPCFlags.schemas, GRPCFlags.connection, GRPCFlags.time, GRPCFlags.metadata], completesOperands: true
) { (invocation) throws(UsageError) in
  let context = try GRPCContext(invocation)
  let waiter = try invocation.waiter(for: context.target)
  var report = DescribeReport(target: context.target?.text)
  do throws(Problem) {
    try context.withSchemas(waiter) { (schemas, connection) throws(Problem) in
      report.detection = connection?.detection
      var printer = SchemaPrinter()
      if context.names.isEmpty {
        report.symbols = try schemas.poolOfServices().services.map { DescribedSymbol(.service($0), &printer) }
      }
      for name in context.names {
        let isFile = name.hasSuffix(".proto")
        report.symbols.append(
          isFile
            ? DescribedSymbol(try schemas.file(named: name), &printer)
            : DescribedSymbol(try schemas.symbol(named: name), &printer))
      }
    }
  } catch { report.problem = error }
  if !invocation.flags.bool("json") {
    StandardStream.output.write(report.symbols.map { $0.text }.joined(separator: "\n"))
  }
  return invocation.finish(report, to: .error)
}

/// One declaration.
struct DescribedSymbol {
  let name: String
  /// What it is: `service`, `message` and so on.
  let kind: String
  /// The file that declares it.
  let file: String
  /// It as the file has it.
  let source: String

  init(_ symbol: SymbolDescriptor, _ printer: inout SchemaPrinter) {
    printer.print(symbol)
    (name, kind, file, source) = (symbol.fullName, symbol.kind, symbol.file.name.safeForDisplay, printer.take())
  }

  init(_ file: Protobuf.FileDescriptor, _ printer: inout SchemaPrinter) {
    printer.print(file)
    (name, kind, source) = (file.name.safeForDisplay, "file", printer.take())
    self.file = name
  }

  /// The same for people, with where it is from.
  var text: String {
    let article = kind == "enum" || kind == "extension" ? "an" : "a"
    return (kind == "file" ? "// \(name)\n" : "// \(name), \(article) \(kind) of \(file)\n") + source
  }
}

extension GRPCSchemas {
  /// The declaration of a full name; a method may have a slash before its own name, and any name a dot in front.
  fileprivate func symbol(named name: String) throws(Problem) -> SymbolDescriptor {
    let name = String(decoding: name.utf8.map { $0 == 0x2F ? 0x2E : $0 }, as: UTF8.self)
    return try symbol(name.utf8.first == 0x2E ? String(name.dropFirst()) : name)
  }

  /// The declaration of a full name. A server that does not know a method or a field knows what it is of.
  private func symbol(_ name: String) throws(Problem) -> SymbolDescriptor {
    do throws(Problem) {
      if let found = try pool(declaring: [name]).symbol(named: name) { return found }
    } catch {
      guard error.code == "SYMBOL_NOT_FOUND", let dot = name.utf8.lastIndex(of: 0x2E) else { throw error }
      let outer = String(name[..<dot])
      if let found = (try? pool(declaring: [outer]))?.symbol(named: name) { return found }
    }
    throw unknown(name)
  }
}

extension SymbolDescriptor {
  fileprivate var kind: String {
    switch self {
    case .message: "message"
    case .enumeration: "enum"
    case .enumValue: "value of an enum"
    case .field(let field): field.isExtension ? "extension" : "field"
    case .oneof: "oneof"
    case .service: "service"
    case .method: "method"
    }
  }
}

/// What `netdiag grpc describe` has found.
struct DescribeReport: GRPCReport {
  static let command = "grpc describe"

  /// The server; nil where schemas came from files.
  var target: String?
  var symbols: [DescribedSymbol] = []
  var detection: String?
  var problem: Problem?

  func appendMembers(to json: inout JSONWriter) {
    json.member("target", target)
    json.members("symbols", symbols) { symbol, json in
      json.member("name", symbol.name)
      json.member("kind", symbol.kind)
      json.member("file", symbol.file)
      json.member("source", symbol.source)
    }
  }
}
