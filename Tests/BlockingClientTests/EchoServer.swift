// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import GRPC
import HTTP2
import TestSupport

/// A gRPC server on a Unix socket, on a thread of its own: the server's halves of our own state machines, which echo.
///
/// `/echo/Each` answers each message at once; `/echo/Last` answers the last one at the end; `/echo/Many` answers the
/// first one a hundred times; `/echo/Fail` ends with a status; `/echo/Hold` reads nothing, ever.
final class EchoServer: @unchecked Sendable {
  let path: String
  private let scratch: Scratch
  private let listener: Int32
  /// What happened, for tests to look at once the connection is over.
  private let finished = DispatchSemaphore(value: 0)
  private(set) var goAway: (code: HTTP2ErrorCode, text: String)?
  private(set) var endedCleanly = false

  init() throws {
    scratch = try Scratch()
    path = scratch.path("server.sock")
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard bound == 0, listen(listener, 5) == 0 else { throw POSIXError(.EADDRINUSE) }
    Thread { [self] in serve() }.start()
  }

  deinit { close(listener) }

  /// Waits until the one connection is over.
  func waitForEnd() -> Bool { finished.wait(timeout: .now() + 20) == .success }

  private func serve() {
    defer { finished.signal() }
    let connection = accept(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil)
    guard connection >= 0, var session = try? HTTP2Session(role: .server, limits: .server) else { return }
    defer { close(connection) }
    var calls: [StreamID: EchoCall] = [:]
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      var output: [UInt8] = []
      session.drain(into: &output)
      var sent = 0
      while sent < output.count {
        let count = output[sent...].withUnsafeBytes {
          send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count <= 0 { return }
        sent += count
      }
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 {
        endedCleanly = count == 0
        return
      }
      session.receive(buffer.span.extracting(0..<count))
      while let event = session.nextEvent() {
        switch event {
        case .headers(let id, _, kind: _, endStream: _):
          calls[id, default: EchoCall()].take(event, id, &session)
        case .data(let id, _, let flowControlled, endStream: _):
          calls[id]?.take(event, id, &session)
          if calls[id]?.path != "/echo/Hold" { session.consume(id, flowControlled) }
        case .streamClosed(let id, _): calls[id] = nil
        case .goAway(_, let code, let debugData): goAway = (code, String(decoding: debugData, as: UTF8.self))
        default: break
        }
      }
    }
  }
}

/// One call of the server.
private struct EchoCall {
  private var call = ServerCall()
  private var last: [UInt8] = []
  private(set) var path = ""

  mutating func take(_ event: HTTP2Event, _ id: StreamID, _ session: inout HTTP2Session) {
    call.receive(event)
    while let event = call.nextEvent() {
      switch event {
      case .started(let request):
        path = request.path
        if path == "/echo/Fail" { call.finish(Status(.failedPrecondition, "no é")) }
      case .message(let message):
        last = message
        if path == "/echo/Each" { try? call.sendMessage(message) }
        if path == "/echo/Many" { for _ in 0..<100 { try? call.sendMessage(message) } }
      case .halfClosed:
        if path == "/echo/Last" { try? call.sendMessage(last) }
        call.finish(.ok)
      case .cancelled, .refused: break
      }
    }
    while let action = call.nextAction() {
      switch action {
      case .headers(let fields, let endStream): try? session.submitHeaders(id, fields, endStream: endStream)
      case .data(let bytes): try? session.send(bytes, on: id, endStream: false)
      case .trailers(let fields): try? session.submitTrailers(id, fields)
      case .end, .reset: break
      }
    }
  }
}
