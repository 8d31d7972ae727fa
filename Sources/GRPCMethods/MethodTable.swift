// SPDX-License-Identifier: Apache-2.0

public import SwiftProtobuf

/// Marks the side of a method that streams: ``stream(_:)``.
public struct StreamOf<Message: SwiftProtobuf.Message>: Sendable {
  @usableFromInline init() {}
}

/// `stream Message`, as a .proto file has it.
@inlinable public func stream<Message: SwiftProtobuf.Message>(_: Message.Type) -> StreamOf<Message> { StreamOf() }

/// `rpc name(Request) returns (Response)`.
@inlinable public func rpc<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
  _ service: String, _ name: String, _: Request.Type, returns: Response.Type
) -> Method<Unary, Request, Response> {
  Method(service: service, name: name, request: .protobuf(), response: .protobuf())
}

/// `rpc name(Request) returns (stream Response)`.
@inlinable public func rpc<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
  _ service: String, _ name: String, _: Request.Type, returns: StreamOf<Response>
) -> Method<ServerStreaming, Request, Response> {
  Method(service: service, name: name, request: .protobuf(), response: .protobuf())
}

/// `rpc name(stream Request) returns (Response)`.
@inlinable public func rpc<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
  _ service: String, _ name: String, _: StreamOf<Request>, returns: Response.Type
) -> Method<ClientStreaming, Request, Response> {
  Method(service: service, name: name, request: .protobuf(), response: .protobuf())
}

/// `rpc name(stream Request) returns (stream Response)`.
@inlinable public func rpc<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
  _ service: String, _ name: String, _: StreamOf<Request>, returns: StreamOf<Response>
) -> Method<Bidirectional, Request, Response> {
  Method(service: service, name: name, request: .protobuf(), response: .protobuf())
}
