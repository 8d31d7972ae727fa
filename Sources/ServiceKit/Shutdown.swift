// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Glibc

/// The signals that end a service: the first asks it to, the second makes it. They are heard as long as this lives.
final class TerminationSignals {
  /// Their names as they come: `SIGTERM`, `SIGINT`.
  let names: AsyncStream<String>
  private let sources: [any DispatchSourceSignal]

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: String.self)
    sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(name) }
      source.resume()
      return source
    }
    names = stream
  }

  deinit { for source in sources { source.cancel() } }
}
