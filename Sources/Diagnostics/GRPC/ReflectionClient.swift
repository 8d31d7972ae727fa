// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import Protobuf
internal import Reflection
internal import Sys

/// Asks a server for its schemas, on one stream of grpc.reflection.
///
/// Version 1 is tried first; a server that does not know it is asked in v1alpha, whose messages are the same, on a
/// stream of its own.
final class ReflectionClient {
  /// The largest answer to take, in bytes: a server may send all that a file imports at once.
  private static let receiveLimit = 64 << 20

  private let connection: GRPCConnection
  private let deadline: Deadline
  private var call: Call?
  private var isAlpha = false
  private var hasAnswered = false

  /// A client whose questions end with the deadline.
  init(_ connection: GRPCConnection, until deadline: Deadline) {
    self.connection = connection
    self.deadline = deadline
  }

  private var peerName: String { connection.connection.peerName }

  /// The full names of the services that the server offers, in its order.
  func services() throws(Problem) -> [String] {
    if case .services(let names) = try ask(.listServices("*")) { return names }
    throw unexpected("its services")
  }

  /// The file that declares a symbol, and whatever the server sends along; nil where it has none.
  func files(declaring symbol: String) throws(Problem) -> [[UInt8]]? {
    try files(.fileContainingSymbol(symbol), "the file of \(symbol.quoted)")
  }

  /// The file of a name, and whatever the server sends along; nil where it has none.
  func files(named name: String) throws(Problem) -> [[UInt8]]? {
    try files(.fileByName(name), "the file \(name.quoted)")
  }

  /// The field numbers of a message's extensions; none where the server cannot tell.
  func extensionNumbers(of type: String) throws(Problem) -> [Int32] {
    if case .extensionNumbers(_, let numbers) = try ask(.extensionNumbers(type: type)) { return numbers }
    return []
  }

  /// The file that extends a message by a field number; nil where the server has none.
  func files(extending type: String, number: Int32) throws(Problem) -> [[UInt8]]? {
    try files(.fileContainingExtension(type: type, number: number), "the extension \(number) of \(type.quoted)")
  }

  /// Says that nothing more is asked.
  func finish() {
    call?.finishSending()
    call?.cancel()
    call = nil
  }

  // MARK: - Questions and answers

  private func files(_ kind: ReflectionRequest.Kind, _ what: String) throws(Problem) -> [[UInt8]]? {
    switch try ask(kind) {
    case .files(let files)?: return files
    // Servers differ in the code for what they do not have.
    case .error: return nil
    default: throw unexpected(what)
    }
  }

  private func ask(_ kind: ReflectionRequest.Kind) throws(Problem) -> ReflectionResponse.Kind? {
    let question = ReflectionRequest(kind, host: connection.target.authority).encoded
    while true {
      let end: Status
      switch exchange(question) {
      case .message(let bytes):
        hasAnswered = true
        do throws(WireError) { return try ReflectionResponse(decoding: bytes).kind } catch {
          throw Problem("REFLECTION_FAILED", "\(peerName) sent an answer that is no ReflectionResponse")
        }
      case .failed(let fault): throw Problem(fault)
      case .ended(let status): end = status
      }
      call = nil
      guard end.code == .unimplemented, !isAlpha, !hasAnswered else { throw refusal(end) }
      isAlpha = true
    }
  }

  /// What became of a question.
  private enum Outcome {
    case message([UInt8])
    case ended(Status)
    case failed(Fault)
  }

  private func exchange(_ question: [UInt8]) -> Outcome {
    do throws(Fault) {
      if call == nil { call = try start() }
      guard let call else { return .ended(Status(.unknown, "the stream was over")) }
      try call.send(question, until: deadline)
      while let event = try call.nextEvent(until: deadline) {
        switch event {
        case .headers: break
        case .message(let bytes): return .message(bytes)
        case .ended(let end): return .ended(end.status)
        }
      }
      return .ended(Status(.unknown, "the stream was over"))
    } catch { return .failed(error) }
  }

  private func start() throws(Fault) -> Call {
    let path = isAlpha ? ReflectionMethod.infoAlpha : ReflectionMethod.info
    return try connection.connection.start(
      connection.request(path, metadata: connection.target.reflectionMetadata, until: deadline), kind: .bidirectional,
      receiveLimit: Self.receiveLimit)
  }

  private func refusal(_ status: Status) -> Problem {
    let said = status.message.isEmpty ? "" : ": " + status.message.safeForDisplay
    switch status.code {
    case .unimplemented:
      return Problem(
        "REFLECTION_MISSING",
        "\(peerName) does not offer reflection; switch it on at the server, or give its schemas by --protoset")
    case .ok: return Problem("REFLECTION_FAILED", "\(peerName) ended the stream of reflection without an answer")
    default:
      return Problem("REFLECTION_FAILED", "\(peerName) refuses reflection with \(status.code.constantName)\(said)")
    }
  }

  private func unexpected(_ what: String) -> Problem {
    Problem("REFLECTION_FAILED", "\(peerName) was asked for \(what), and answers something else")
  }
}
