// SPDX-License-Identifier: Apache-2.0

// GRPCMethods: what the two ends of a call share — typed methods, codecs, errors, the call's scope.

public import GRPC

/// A method by its names and its kind.
public struct MethodInfo: Hashable, Sendable {
  /// The service's full name, such as `user.v1.UserService`.
  public let service: String
  /// The method's own name, such as `GetUser`.
  public let name: String
  /// How many messages go each way.
  public let kind: CallKind
  /// The path of its requests: `/user.v1.UserService/GetUser`.
  public let path: String

  /// A method of a service.
  public init(service: String, name: String, kind: CallKind) {
    self.service = service
    self.name = name
    self.kind = kind
    path = "/" + service + "/" + name
  }

  /// The name as logs and metrics write it: `user.v1.UserService/GetUser`.
  public var fullName: String { String(path.dropFirst()) }
}

/// The kind of a method as a type, so that a handler or a call of another kind does not compile.
public protocol MethodKind {
  /// The kind as a value.
  static var kind: CallKind { get }
}

/// One request, one response.
public enum Unary: MethodKind {
  /// The kind as a value.
  public static var kind: CallKind { .unary }
}

/// One request, any number of responses.
public enum ServerStreaming: MethodKind {
  /// The kind as a value.
  public static var kind: CallKind { .serverStreaming }
}

/// Any number of requests, one response.
public enum ClientStreaming: MethodKind {
  /// The kind as a value.
  public static var kind: CallKind { .clientStreaming }
}

/// Any number of both.
public enum Bidirectional: MethodKind {
  /// The kind as a value.
  public static var kind: CallKind { .bidirectional }
}

/// A method with the types of its messages: what a server implements and a client calls.
/// ``rpc(_:_:_:returns:)-(_,_,_,_)`` makes one that reads as it does in the .proto file.
public struct Method<Kind: MethodKind, Request: Sendable, Response: Sendable>: Sendable {
  /// Its names.
  public let info: MethodInfo
  /// How requests are coded.
  public let request: MessageCodec<Request>
  /// How responses are coded.
  public let response: MessageCodec<Response>

  /// A method of a service, with the codecs of its messages.
  public init(
    service: String, name: String, request: MessageCodec<Request>, response: MessageCodec<Response>
  ) {
    info = MethodInfo(service: service, name: name, kind: Kind.kind)
    self.request = request
    self.response = response
  }
}
