// SPDX-License-Identifier: Apache-2.0

// Interop: the public interoperability tests of gRPC, as a service and as test cases.

public import GRPCMethods
public import Schemas

/// The methods of `grpc.testing.TestService`.
public enum TestService {
  /// The service's full name.
  public static let service = "grpc.testing.TestService"
  /// The name of a service that no server has.
  public static let missingService = "grpc.testing.UnimplementedService"

  /// Nothing in, nothing out.
  public static let emptyCall = rpc(service, "EmptyCall", Grpc_Testing_Empty.self, returns: Grpc_Testing_Empty.self)
  /// A payload of the size asked for.
  public static let unaryCall = rpc(
    service, "UnaryCall", Grpc_Testing_SimpleRequest.self, returns: Grpc_Testing_SimpleResponse.self)
  /// Payloads of the sizes asked for.
  public static let streamingOutputCall = rpc(
    service, "StreamingOutputCall", Grpc_Testing_StreamingOutputCallRequest.self,
    returns: stream(Grpc_Testing_StreamingOutputCallResponse.self))
  /// The sum of the payloads' sizes.
  public static let streamingInputCall = rpc(
    service, "StreamingInputCall", stream(Grpc_Testing_StreamingInputCallRequest.self),
    returns: Grpc_Testing_StreamingInputCallResponse.self)
  /// Payloads for each request as it comes.
  public static let fullDuplexCall = rpc(
    service, "FullDuplexCall", stream(Grpc_Testing_StreamingOutputCallRequest.self),
    returns: stream(Grpc_Testing_StreamingOutputCallResponse.self))
  /// Payloads for all requests, once the client has sent the last.
  public static let halfDuplexCall = rpc(
    service, "HalfDuplexCall", stream(Grpc_Testing_StreamingOutputCallRequest.self),
    returns: stream(Grpc_Testing_StreamingOutputCallResponse.self))
  /// A method that no server implements.
  public static let unimplementedCall = rpc(
    service, "UnimplementedCall", Grpc_Testing_Empty.self, returns: Grpc_Testing_Empty.self)
  /// A method of a service that no server has.
  public static let missingServiceCall = rpc(
    missingService, "UnimplementedCall", Grpc_Testing_Empty.self, returns: Grpc_Testing_Empty.self)

  /// Metadata that the server sends back in its leading section.
  public static let echoInitial = "x-grpc-test-echo-initial"
  /// Metadata that the server sends back in its trailing section.
  public static let echoTrailing = "x-grpc-test-echo-trailing-bin"
}
