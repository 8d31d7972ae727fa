// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCServer
internal import HTTP2
internal import Transcoding

/// Reads requests of gRPC-Web and of REST as calls.
struct EdgeTranslator: CallTranslator {
  let gateway: Gateway
  private let rules = HeaderRules()

  init(_ gateway: Gateway) { self.gateway = gateway }

  func call(for fields: HeaderFields, in context: TranslationContext) -> (any TranslatedCall)? {
    if let form = GRPCWebForm(contentType: fields.first(named: "content-type") ?? "") {
      return EdgeCall(WebForm(form, accept: fields.joined(named: "accept"), rules, context))
    }
    return EdgeCall(RESTForm(gateway.restRoutes, rules, context))
  }
}
