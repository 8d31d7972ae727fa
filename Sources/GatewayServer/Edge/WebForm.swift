// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import GRPCServer
internal import HTTP2
internal import Transcoding

/// Calls in gRPC-Web: gRPC's frames, with the trailers as the last one of the body.
struct WebForm: CallForm {
  private let context: TranslationContext
  private let rules: HeaderRules
  private let answerForm: GRPCWebForm
  private var decoder: GRPCWebDecoder
  private let encoder: GRPCWebEncoder
  private var hasEnded = false
  private var hasSentHeaders = false

  /// The form of a request's content type, with the rules of its headers.
  init(_ form: GRPCWebForm, accept: String?, _ rules: HeaderRules, _ context: TranslationContext) {
    self.context = context
    self.rules = rules
    answerForm = form.answer(accept: accept)
    decoder = GRPCWebDecoder(form, limit: context.messageLimit)
    encoder = GRPCWebEncoder(answerForm)
  }

  // MARK: - Requests

  func begin(_ fields: HeaderFields, _ actions: inout [ServerCallAction]) throws(Status) -> ServerRequest? {
    guard fields.first(named: ":method") == "POST" else {
      throw Status(.unimplemented, "calls of gRPC-Web are POST requests")
    }
    do throws(TranscodingError) {
      return ServerRequest(
        path: fields.first(named: ":path") ?? "", authority: fields.authority,
        timeout: try DeadlineRules().timeout(
          grpcTimeout: fields.first(named: "grpc-timeout"), serverTimeout: fields.first(named: "x-server-timeout")),
        metadata: try rules.webMetadata(of: fields.headers))
    } catch { throw Status(error.statusCode, error.message) }
  }

  mutating func receive(_ bytes: [UInt8]) { decoder.receive(bytes[...]) }

  mutating func receiveEnd() { hasEnded = true }

  mutating func nextMessage() throws(Status) -> [UInt8]? {
    if let message = try decoder.nextMessage() { return message }
    if hasEnded { try decoder.checkEnd() }
    return nil
  }

  // MARK: - Answers

  mutating func sendHeaders(_ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    hasSentHeaders = true
    let own = [HeaderField(":status", "200"), HeaderField("content-type", answerForm.contentType)]
    actions.append(.headers(own + HeaderFields(rules.webHeaders(of: metadata)), endStream: false))
  }

  func sendFrame(_ frame: [UInt8], _ actions: inout [ServerCallAction]) throws(Status) {
    var bytes: [UInt8] = []
    encoder.message(MessageFrame(behindRoom: frame), into: &bytes)
    actions.append(.data(bytes))
  }

  mutating func finish(_ status: Status, _ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    if !hasSentHeaders { sendHeaders(Metadata(), &actions) }
    var bytes: [UInt8] = []
    encoder.end(status, metadata, into: &bytes)
    actions += [.data(bytes), .end]
  }

  mutating func refuse(_ failure: Status, _ actions: inout [ServerCallAction]) -> Status {
    var error = RPCError(failure)
    if let domain = context.errorDomain {
      let reason =
        switch failure.code {
        case .resourceExhausted: ServerFailure.messageTooLarge.rawValue
        case .internal: ServerFailure.malformedMessage.rawValue
        default: failure.code.constantName
        }
      error.explain(reason: reason, domain: domain)
    }
    var metadata = hasSentHeaders ? Metadata() : context.responseHeaders
    metadata.append(contentsOf: error.trailers)
    finish(failure, metadata, &actions)
    return failure
  }
}
