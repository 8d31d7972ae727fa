// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import HTTP2
internal import NIOCore
internal import NIOTransport

/// A connection as its loop holds it. Everything here belongs to the loop's thread.
protocol LoopConnection: AnyObject {
  /// Ends once the calls that the client has begun are done.
  func drain()
  /// Ends at once.
  func abort()
  /// Looks after what time brings; called a few times a second.
  func sweep(_ now: NIODeadline)
}

/// A connection as its calls know it: what is said in the terms of streams goes out in whatever form of HTTP the client
/// speaks.
protocol CallCarrier: AnyObject {
  var server: ServerCore { get }
  var limits: ServerLimits { get }
  var executor: LoopExecutor { get }
  var timers: CallTimers { get }
  var loop: any EventLoop { get }
  /// The client.
  var peer: Peer { get }

  /// Does what a call's state machine asks for. A stream that is gone meanwhile needs nothing.
  func perform(_ call: inout OpenCall, on id: StreamID)
  /// Bytes of a stream's answers that have not left.
  func pendingBytes(on id: StreamID) -> Int
  /// Asks for one `ServerStream.bodyDrained` once at most `mark` bytes wait; false where that few wait now.
  func notifyWhenDrained(_ id: StreamID, to mark: Int) -> Bool
  /// Lets the client send so many bytes more.
  func consume(_ id: StreamID, _ count: Int)
  /// Cuts a stream off, so that the client sees that its answer is not whole.
  func cutOff(_ id: StreamID)
}

extension CallCarrier {
  /// Begins a call whose header section was read; what answers it is looked for where that is not known yet. Nil for
  /// one that is answered already.
  func begin(_ id: StreamID, _ call: consuming OpenCall, _ handler: MethodHandler?) -> ServerStream? {
    guard case .started(let request)? = call.nextCallEvent() else {
      perform(&call, on: id)
      return nil
    }
    guard let handler = handler ?? server.handler(for: request.path) else {
      let (status, failure) = server.unimplemented(request.path)
      refuse(id, &call, status, failure)
      return nil
    }
    guard server.admitsCall(of: handler) else {
      refuse(
        id, &call, Status(.resourceExhausted, "the server has as many calls in flight as it takes"), .tooManyCalls)
      return nil
    }
    let now = NIODeadline.now()
    let context = ServerContext(
      handler: handler, request: request, peer: peer, start: now,
      deadline: deadline(now, request.timeout, handler.options.callTime ?? limits.callTime),
      responseHeaders: server.configuration.responseHeaders)
    return ServerStream(id: id, call: call, handler: handler, context: context, connection: self)
  }

  /// The call of a request in another form of HTTP than gRPC's; nil where nobody reads it.
  func translated(_ fields: HeaderFields) -> (any TranslatedCall)? {
    guard let translator = server.translator else { return nil }
    let context = TranslationContext(
      peer: peer, messageLimit: limits.receivedMessageSize, responseHeaders: server.configuration.responseHeaders,
      errorDomain: server.configuration.errorDomain)
    return translator.call(for: fields, in: context)
  }

  /// The earlier of the client's deadline and the longest time of a call.
  private func deadline(_ now: NIODeadline, _ timeout: Int64?, _ limit: TimeAmount?) -> NIODeadline? {
    guard timeout != nil || limit != nil else { return nil }
    let nanoseconds = min(timeout ?? .max, limit?.nanoseconds ?? .max)
    let (uptime, overflow) = Int64(now.uptimeNanoseconds).addingReportingOverflow(nanoseconds)
    return overflow ? .distantFuture : .uptimeNanoseconds(UInt64(max(0, uptime)))
  }

  /// Refuses a call that no handler is to see.
  private func refuse(_ id: StreamID, _ call: inout OpenCall, _ status: Status, _ failure: ServerFailure) {
    call.finish(status, trailers: server.refusalTrailers(status, failure, true))
    perform(&call, on: id)
  }
}
