// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Flags
internal import JSON
internal import Protobuf
internal import Sys

/// `netdiag grpc diff OLD NEW`.
let grpcDiffCommand = Netdiag.Command(
  "grpc diff", summary: "tells in what two schemas are not compatible, on the wire or in JSON", operands: "OLD NEW",
  groups: [GRPCFlags.connection, GRPCFlags.time, GRPCFlags.metadata]
) { (invocation) throws(UsageError) in
  let operands = invocation.flags.operands
  guard operands.count == 2 else {
    throw UsageError(line: "name two schemas: descriptor sets, or servers as HOST:PORT")
  }
  let sides = (try GRPCContext(invocation, side: operands[0]), try GRPCContext(invocation, side: operands[1]))
  // Signals are taken over once.
  let waiter = try invocation.waiter(for: sides.0.target ?? sides.1.target)
  var report = DiffReport(old: operands[0], new: operands[1])
  do throws(Problem) {
    let pools = (try report.pool(sides.0, waiter), try report.pool(sides.1, waiter))
    report.changes = SchemaComparison.changes(from: pools.0, to: pools.1)
  } catch { report.problem = error }
  return invocation.finish(report)
}

extension GRPCContext {
  /// One side of a comparison: a server where the word has a colon and names no file, a descriptor set otherwise.
  fileprivate init(_ invocation: Invocation, side word: String) throws(UsageError) {
    let isFile = Files.exists(word) || !word.utf8.contains(0x3A)
    let target = isFile ? nil : try GRPCTarget(invocation, word)
    self.init(
      target: target, names: [], files: isFile ? try Self.files([word]) : nil, deadline: try Self.deadline(invocation))
  }
}

/// What `netdiag grpc diff` has found.
struct DiffReport: Report {
  static let command = "grpc diff"

  let old: String
  let new: String
  /// What is not compatible; nil where the schemas could not be compared.
  var changes: [SchemaChange]?
  var detections: [String] = []
  var problem: Problem?

  var worst: Mark { problem?.mark ?? (changes?.isEmpty == true ? .ok : .failure) }
  var code: String { problem?.code ?? (changes?.isEmpty == true ? "OK" : "SCHEMA_INCOMPATIBLE") }
  var error: String? { problem?.meaning }

  /// The schemas of one side.
  mutating func pool(_ side: GRPCContext, _ waiter: Waiter?) throws(Problem) -> DescriptorPool {
    var found: DescriptorPool?
    var detection: String?
    try side.withSchemas(side.target == nil ? nil : waiter) { (schemas, connection) throws(Problem) in
      detection = connection?.detection
      found = try schemas.poolOfServices().pool
    }
    if let detection { detections.append(detection) }
    guard let found else { throw Problem("SCHEMA_INVALID", "there are no schemas") }
    return found
  }

  private static func words(_ breaks: SchemaChange.Breaks) -> [String] {
    (breaks.contains(.wire) ? ["wire"] : []) + (breaks.contains(.json) ? ["JSON"] : [])
  }

  func write(to output: inout TextOutput) {
    for detection in detections { output.line(.note, detection) }
    if let problem { output.line(problem.mark, problem.meaning) }
    guard let changes else { return }
    for change in changes {
      let breaks = Self.words(change.breaks).joined(separator: " and ")
      output.line(.failure, "\(change.element): \(change.text.safeForDisplay) (\(breaks))")
    }
    if changes.isEmpty {
      output.line(.ok, "programs of either schema understand each other")
    } else {
      let changes = "\(changes.count) change\(changes.count == 1 ? "" : "s")"
      output.line(.note, changes + " that older programs do not understand")
    }
  }

  func appendMembers(to json: inout JSONWriter) {
    json.member("old", old.safeForDisplay)
    json.member("new", new.safeForDisplay)
    json.members("changes", changes ?? []) { change, json in
      json.member("code", change.kind.rawValue)
      json.member("element", change.element)
      json.member("breaks", Self.words(change.breaks).map { $0.asciiLowercased })
      json.member("text", change.text.safeForDisplay)
    }
  }
}
