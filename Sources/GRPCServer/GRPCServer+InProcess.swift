// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import NIOTransport
internal import NIOPosix

extension GRPCServer {
  /// Makes a pair of connected sockets, serves one end like a connection of a listener, and returns the other one's
  /// descriptor, which becomes the caller's to close.
  ///
  /// Throws where the server is shutting down, has as many connections as it takes, or the system gives no sockets.
  package func connectInProcess() async throws -> CInt {
    guard let loop = nextLoop else { throw ServerStartError.notServing }
    var ends: [CInt] = [-1, -1]
    guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw IOError(errnoCode: errno, reason: "socketpair")
    }
    let bootstrap = ClientBootstrap(group: loop.executor.loop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try Listener.accept(channel, on: loop) }
      }
    do {
      _ = try await bootstrap.withConnectedSocket(ends[0]).get()
    } catch {
      close(ends[1])
      throw error
    }
    return ends[1]
  }
}
