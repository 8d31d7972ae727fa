// SPDX-License-Identifier: Apache-2.0

/// Why a server fails a call of its own accord, before or beside the handler. The raw value is what a program can rely
/// on: the reason in the `google.rpc.ErrorInfo` of the answer.
public enum ServerFailure: String, Sendable {
  /// The path is not `/service/method`.
  case malformedMethodName = "MALFORMED_METHOD_NAME"
  /// The server has no such service.
  case unknownService = "UNKNOWN_SERVICE"
  /// The service has no such method.
  case unknownMethod = "UNKNOWN_METHOD"
  /// `grpc-timeout` cannot be read.
  case malformedTimeout = "MALFORMED_TIMEOUT"
  /// The requests are compressed in a way that the server does not know.
  case unknownEncoding = "UNKNOWN_ENCODING"
  /// A message is larger than the limit in its direction.
  case messageTooLarge = "MESSAGE_TOO_LARGE"
  /// A request's frame, compression or bytes are broken.
  case malformedMessage = "MALFORMED_MESSAGE"
  /// None, or more than one, request message where the method takes one.
  case wrongMessageCount = "WRONG_MESSAGE_COUNT"
  /// As many calls are in flight as the server or the method takes.
  case tooManyCalls = "TOO_MANY_CALLS"
  /// The client's deadline, or the longest time of a call, has passed.
  case deadlineExceeded = "DEADLINE_EXCEEDED"
  /// The server ends, and with it the calls that would never end.
  case shuttingDown = "SHUTTING_DOWN"
}
