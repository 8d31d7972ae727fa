// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import JSON
internal import Protobuf
internal import Sys
internal import TLS

/// `netdiag grpc call HOST:PORT SERVICE/METHOD`.
let grpcCallCommand = Netdiag.Command(
  "grpc call", summary: "calls a method of a gRPC server, with requests and answers in JSON",
  operands: "HOST:PORT SERVICE/METHOD",
  groups: [
    FlagGroup(
      "The call",
      [
        Flag(
          "data", .string, "DATA", summary: "requests: JSON values one after another, @FILE, or @ for standard input",
          details: "An empty message where it is not given; a method that takes any number of requests gets none.",
          hasEnvironment: false, short: "d"),
        Flag(
          "format", .choice(["json", "text"]), "FORMAT", default: "json",
          summary: "what requests and answers are written in",
          details: "text is Protobuf's text format; a record separator (U+001E) stands between messages.",
          hasEnvironment: false),
        Flag(
          "allow-unknown-fields", .bool, summary: "pass over fields in requests that their schema does not have",
          hasEnvironment: false),
        Flag(
          "emit-defaults", .bool, summary: "print fields that are not set, too, with their defaults",
          hasEnvironment: false),
        Flag(
          "verbose", .bool, summary: "tell the metadata of both sides and the time that each step took",
          details: "Values of authorization and cookies are hidden.", hasEnvironment: false, short: "v"),
        Flag("vv", .bool, summary: "tell every frame of HTTP/2, too", hasEnvironment: false),
      ]),
    GRPCFlags.schemas, GRPCFlags.connection, GRPCFlags.time, GRPCFlags.metadata,
  ], completesOperands: true
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  var (context, target, name) = try invocation.grpcMethod()
  if flags.bool("vv") { context.target?.log = .everything }
  var report = CallReport(target: target.text, method: name.text)
  report.isVerbose = flags.bool("verbose") || flags.bool("vv")
  report.metadata = target.metadata
  var printer = AnswerPrinter(flags, limit: target.receiveLimit)
  let data = try RequestData(flags)
  let waiter = try invocation.waiter(for: target)
  do throws(Problem) {
    try context.withSchemas(waiter) { (schemas, connection) throws(Problem) in
      guard let connection, let waiter else { return }
      report.detection = connection.detection
      report.timings = connection.connection.timings
      report.security = connection.connection.security.map { "\($0.version.name), \($0.cipherSuite)" }
      let method = try schemas.method(name)
      report.method = method.fullName
      var requests = RequestSource(data, as: method.input, schemas, RequestForm(flags))
      let run = CallRun(
        connection: connection, method: method, waiter: waiter, deadline: context.deadline,
        onResponse: { (bytes) throws(Problem) in try printer.print(bytes, of: method, schemas) })
      defer { report.details = schemas.shown(StatusDetails(report.findings.end?.trailers ?? Metadata()).details) }
      try run.run(&requests, &report.findings)
    }
  } catch { report.problem = error }
  let exit = invocation.finish(report, to: .error)
  return report.exit ?? exit
}

extension Invocation {
  /// The operands of a command that calls a method.
  func grpcMethod() throws(UsageError) -> (context: GRPCContext, target: GRPCTarget, method: MethodName) {
    let context = try GRPCContext(self, needsTarget: true)
    guard let target = context.target, context.names.count == 1 else {
      throw UsageError(line: "name a target and one method, as HOST:PORT SERVICE/METHOD")
    }
    return (context, target, try MethodName(context.names[0]))
  }
}

/// The name of a method, as `package.Service/Method` or `package.Service.Method`.
struct MethodName {
  let service: String
  let method: String

  init(_ text: String) throws(UsageError) {
    let bytes = Array(text.utf8)
    let name = bytes.first == 0x2F ? Array(bytes.dropFirst()) : bytes
    guard let end = name.lastIndex(of: 0x2F) ?? name.lastIndex(of: 0x2E), end > 0, end + 1 < name.count else {
      throw UsageError(line: "\(text.quoted) is no method: write SERVICE/METHOD")
    }
    service = String(decoding: name[..<end], as: UTF8.self)
    method = String(decoding: name[(end + 1)...], as: UTF8.self)
  }

  /// The full name.
  var text: String { service + "." + method }
}

extension GRPCSchemas {
  /// The method of a name.
  func method(_ name: MethodName) throws(Problem) -> MethodDescriptor {
    guard let service = try pool(declaring: [name.service]).service(named: name.service) else {
      throw unknown(name.service)
    }
    if let method = service.methods.first(where: { $0.name == name.method }) { return method }
    throw Problem(
      "SYMBOL_NOT_FOUND",
      "\(name.service.safeForDisplay) has no method \(name.method.quoted): netdiag grpc list tells what there is")
  }

  /// How many details of a status are decoded: more than any sensible one has.
  private static let detailLimit = 32

  /// Details of a status as JSON, in base64 where no schema has their type.
  func shown(_ details: [StatusDetails.Detail]) -> [(type: String, json: [UInt8])] {
    var types: [String: MessageDescriptor] = [:]
    return details.prefix(Self.detailLimit).map { detail in
      let type = types[detail.type] ?? type(detail.type)
      types[detail.type] = type
      return (detail.type, json(detail, type))
    }
  }

  private func json(_ detail: StatusDetails.Detail, _ type: MessageDescriptor?) -> [UInt8] {
    var bytes: [UInt8] = []
    if let type,
      let message = try? DynamicMessage(decoding: detail.bytes, as: type),
      (try? message.writeJSON(into: &bytes)) != nil
    {
      return bytes
    }
    JSONWriter.appendQuoted(Base64.encode(Array(detail.bytes).span, padded: true), to: &bytes)
    return bytes
  }

  /// A message type: of the schemas that are here, or of a file that the server has.
  private func type(_ name: String) -> MessageDescriptor? {
    if let known = WellKnownFiles.pool?.message(named: name) ?? (try? pool())?.message(named: name) { return known }
    return (try? pool(declaring: [name]))?.message(named: name)
  }
}

extension TransportLog {
  /// A log of all that there is, on standard error.
  fileprivate static var everything: TransportLog {
    TransportLog(
      environment: { name in name == "GRPC_GO_LOG_SEVERITY_LEVEL" ? "info" : "2" },
      write: { StandardStream.error.write($0) })
  }
}

extension RequestForm {
  fileprivate init(_ flags: FlagValues) {
    var options = JSONReadingOptions()
    options.ignoresUnknown = flags.bool("allow-unknown-fields")
    self = flags.string("format") == "text" ? .text : .json(options)
  }
}

/// Prints answers on standard output as they come.
private struct AnswerPrinter {
  private let writesDocuments: Bool
  private let options: JSONWritingOptions
  private let limits: MessageLimits
  private let isText: Bool
  private let isForTerminal = StandardStream.output.isTerminal
  /// Whether a message was printed, so that the next one is told apart from it.
  private var hasPrinted = false
  /// The answers' type in the newest pool.
  private var output: MessageDescriptor?

  /// A printer of answers of so many bytes.
  init(_ flags: FlagValues, limit: Int) {
    writesDocuments = flags.bool("json")
    isText = flags.string("format") == "text" && !writesDocuments
    var limits = MessageLimits()
    limits.bytes = limit
    self.limits = limits
    var options = JSONWritingOptions()
    options.writesUnset = flags.bool("emit-defaults")
    options.isIndented = !writesDocuments
    self.options = options
  }

  mutating func print(_ bytes: [UInt8], of method: MethodDescriptor, _ schemas: GRPCSchemas) throws(Problem) {
    var json: [UInt8] = []
    var message: DynamicMessage
    do throws(MessageError) {
      message = try DynamicMessage(decoding: bytes, as: output ?? method.output, limits: limits)
      // What an Any holds may hold another one: the server is asked until it knows no more.
      while let type = schemas.pool(with: message)?.message(named: method.output.fullName) {
        output = type
        message = try DynamicMessage(decoding: bytes, as: type, limits: limits)
      }
    } catch {
      throw Problem("RESPONSE_INVALID", "an answer is no \(method.output.fullName): \(error.message.safeForDisplay)")
    }
    guard !isText else {
      let text = (hasPrinted ? "\u{1E}\n" : "") + message.text
      hasPrinted = true
      let shown = isForTerminal ? String(decoding: Self.escaped(Array(text.utf8)), as: UTF8.self) : text
      guard StandardStream.output.write(Array(shown.utf8)) else { throw .noReader }
      return
    }
    do throws(MappingError) { try message.writeJSON(into: &json, options: options) } catch {
      throw Problem("RESPONSE_INVALID", "an answer has no form in JSON: \(error.message.safeForDisplay)")
    }
    if writesDocuments {
      var document = JSONWriter()
      document.beginObject()
      document.member("schema", 1)
      document.member("command", CallReport.command)
      document.key("message")
      document.raw(json[...])
      document.endObject()
      json = document.bytes
    }
    if isForTerminal { json = Self.escaped(json) }
    guard StandardStream.output.write(json + [0x0A]) else { throw .noReader }
  }
}

extension AnswerPrinter {
  /// A document with escapes for what could move a terminal's cursor, or show text in another order than it has.
  private static func escaped(_ json: [UInt8]) -> [UInt8] {
    var shown = ""
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      // Line breaks stand between members alone: in strings they are escaped already.
      guard scalar.isUnsafeForDisplay, scalar != "\n" else {
        shown.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        shown += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      }
    }
    return Array(shown.utf8)
  }
}

extension Problem {
  /// Nobody reads what the command prints: it ends, and nothing is wrong.
  fileprivate static let noReader = Problem(mark: .note, "CANCELLED", "nobody reads the answers any more")
}
