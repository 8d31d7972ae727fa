// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Sys
internal import TLS

/// What a server that did not answer in the clear does when it is asked for TLS.
enum SecondLook {
  /// It answers in TLS, whatever it thinks of this client.
  case speaksTLS
  /// It says something else.
  case speaksOther(String)
  /// It says nothing, or is not reached.
  case unknown

  /// How long the look may take, in nanoseconds.
  static let time: Int64 = 1_000_000_000

  /// Makes a connection of its own and begins a handshake.
  init(at addresses: [SocketAddress], waiter: Waiter, until deadline: Deadline) {
    var configuration = TLSClientConfiguration(verification: .none)
    configuration.alpn = ["h2", "http/1.1"]
    self = .unknown
    guard let context = try? TLSContext(client: configuration),
      let socket = try? Connector(waiter: waiter).connect(to: addresses, until: deadline)
    else { return }
    let stream = ByteStream(socket, waiter: waiter)
    defer { stream.close(until: Deadline(nanoseconds: 0)) }
    do throws(Fault) {
      _ = try stream.startTLS(context, until: deadline)
      self = .speaksTLS
    } catch {
      switch error.code {
      case .tlsAlert, .tlsFailed, .clientCertificateWanted, .alpnMissing: self = .speaksTLS
      case .serverNotTLS: self = .speaksOther(error.detail)
      default: break
      }
    }
  }
}

extension ByteStream {
  /// Shakes hands over TLS and sees to it that h2 was chosen where it must be.
  func startTLS(_ options: TLSOptions, until deadline: Deadline) throws(Fault) -> TLSPeerFacts {
    let facts = try startTLS(options.context, until: deadline)
    guard facts.alpn != "h2", options.requiresALPN else { return facts }
    throw Fault(.alpnMissing, name, detail: facts.alpn.map { "it chose \($0.quoted)" } ?? "it chose nothing")
  }
}
