// SPDX-License-Identifier: Apache-2.0

// InProcess: a client and a server in one process, joined without a listener. All of HTTP/2 and gRPC runs between them.

public import GRPCClient
public import GRPCServer

extension GRPCClient {
  /// A client of a server in the same process, over a pair of sockets: for tests of services, with nothing to configure
  /// and no port to choose.
  ///
  /// ```swift
  /// let server = try await GRPCServer.start([greeter], on: [])
  /// let client = try GRPCClient(inProcess: server)
  /// ```
  public convenience init(
    inProcess server: GRPCServer, configuration: ClientConfiguration = ClientConfiguration(),
    interceptors: [any ClientInterceptor] = []
  ) throws {
    try self.init(
      connectedBy: { try await server.connectInProcess() }, authority: "in-process", configuration: configuration,
      interceptors: interceptors)
  }
}
