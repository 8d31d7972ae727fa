// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import Synchronization
import TestSupport
import Testing

@testable import GRPCClient

@Suite(.endsIfItHangs) struct FlowControlTests {
  private static let size = 10_000

  @Test("a server that does not read holds a writer back after a bounded number of messages")
  func slowServer() async throws {
    let go = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.sum) { requests, _ in
          await go.reaches(1)
          var count = 0
          for try await _ in requests { count += 1 }
          return [UInt8(count / 10)]
        }
      ])
    // What may be under way: the server's window, the client's send buffer, and the socket's own buffers.
    try await withEcho([service], server: { $0.limits.streamWindow = 65_535 }) { client async throws in
      let written = Counter()
      async let answer = client.call(Echo.sum) { writer in
        for _ in 0..<1_000 {
          try await writer.write([UInt8](repeating: 1, count: Self.size))
          written.increment()
        }
      }
      // Calls on the same connection still go through, and after some of them the writer has got as far as it can.
      let limit = (65_535 + 64 << 10) / Self.size + 1
      while true {
        let before = written.value
        for _ in 0..<20 { _ = try? await client.call(Echo.one, []) }
        if written.value == before, before > 0 { break }
      }
      #expect(written.value <= limit)
      go.increment()
      #expect(try await answer == [100])
      #expect(written.value == 1_000)
    }
  }

  @Test("a caller that does not read holds the server back, and its connection serves others meanwhile")
  func slowReader() async throws {
    let written = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.many) { _, writer, _ in
          for _ in 0..<1_000 {
            try await writer.write([UInt8](repeating: 1, count: Self.size))
            written.increment()
          }
        },
        handle(Echo.one) { request, _ in request },
      ])
    try await withEcho([service], client: { $0.limits.streamWindow = 65_535 }) { client in
      try await client.call(Echo.many, []) { responses in
        let first = try await responses.next()
        #expect(first?.count == Self.size)
        while true {
          let before = written.value
          for _ in 0..<20 {
            let answer = try await client.call(Echo.one, [1])
            #expect(answer == [1])
          }
          if written.value == before { break }
        }
        // The window, the server's send buffer, and the message that was read.
        #expect(written.value <= (65_535 + 64 << 10) / Self.size + 2)
        var count = 1
        for try await _ in responses { count += 1 }
        #expect(count == 1_000)
      }
    }
  }

  @Test("messages larger than the window pass both ways")
  func largerThanWindow() async throws {
    let message = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try await withEcho(
      server: { $0.limits.streamWindow = 65_535 }, client: { $0.limits.streamWindow = 65_535 }
    ) { client in
      try await client.call(Echo.chat) { writer, responses in
        for _ in 0..<3 {
          try await writer.write(message)
          let response = try await responses.next()
          #expect(response == message)
        }
        writer.finish()
      }
    }
  }

  @Test("a call that nobody reads gives its connection's window back when it is over")
  func windowComesBack() async throws {
    let service = Service(
      Echo.service,
      [
        handle(Echo.many) { _, writer, _ in
          for _ in 0..<100 { try await writer.write([UInt8](repeating: 1, count: Self.size)) }
        },
        handle(Echo.one) { request, _ in request },
      ])
    try await withEcho([service], client: { $0.limits.connectionWindow = 65_535 }) { client in
      for _ in 0..<50 {
        try await client.call(Echo.many, []) { responses in _ = try await responses.next() }
      }
      #expect(try await client.call(Echo.one, [UInt8](repeating: 1, count: 100_000)).count == 100_000)
    }
  }

  @Test("requests and responses stream past each other in many calls at once")
  func manyStreams() async throws {
    try await withEcho { client in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for seed in 0..<20 as Range<UInt64> {
          group.addTask {
            try await client.call(Echo.chat) { writer, responses in
              async let count = responses.reduce(0) { $0 + $1.count }
              var generator = SeededGenerator(seed)
              var sent = 0
              for _ in 0..<30 {
                let size = Int.random(in: 0...50_000, using: &generator)
                try await writer.write([UInt8](repeating: UInt8(seed), count: size))
                sent += size
              }
              writer.finish()
              return try await count - sent
            }
          }
        }
        for try await difference in group { #expect(difference == 0) }
      }
    }
  }
}
