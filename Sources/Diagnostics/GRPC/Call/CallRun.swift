// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import Protobuf
internal import Sys

/// What came of a call.
struct CallFindings {
  /// The address that was connected to.
  var peer = ""
  /// What the server says before its first message.
  var headers: Metadata?
  /// How the call ended; nil where no status came.
  var end: CallEnd?
  var requests = 0
  var responses = 0
  /// From the call's start to the first message, and to its end, in nanoseconds.
  var firstResponse: Int64?
  var total: Int64 = 0
}

/// Runs one call of any kind: requests go out as they come, and answers are told as they come.
struct CallRun {
  let connection: GRPCConnection
  let method: MethodDescriptor
  let waiter: Waiter
  let deadline: Deadline
  /// Told of each answer.
  let onResponse: ([UInt8]) throws(Problem) -> Void

  /// Runs the call. What it found up to a problem is found all the same.
  func run(_ requests: inout RequestSource, _ findings: inout CallFindings) throws(Problem) {
    let start = Instant.now
    defer { findings.total = Instant.now.nanoseconds(since: start) }
    findings.peer = connection.connection.peerName
    // A request that cannot be made is found before the server hears of the call.
    var next = try method.isClientStreaming ? requests.next() : onlyRequest(&requests)
    let call = try begin(connection.connection)
    defer { call.cancel() }
    var isSending = true
    while true {
      while let event = call.takeEvent() {
        switch event {
        case .headers(let headers): findings.headers = headers
        case .message(let bytes):
          findings.responses += 1
          if findings.firstResponse == nil { findings.firstResponse = Instant.now.nanoseconds(since: start) }
          try onResponse(bytes)
        case .ended(let end):
          findings.end = end
          return
        }
      }
      while isSending, let message = next, !call.isBacklogged {
        try problems { () throws(Fault) in try call.send(message, until: deadline) }
        findings.requests += 1
        next = try requests.next()
      }
      if isSending, next == nil, !requests.isReading {
        call.finishSending()
        isSending = false
      }
      guard try wait(isSending && next == nil ? .input : .connection, &requests) else {
        let status = Status(.deadlineExceeded, "no answer in time; --max-time allows more")
        findings.end = CallEnd(status: status)
        return
      }
      if isSending, next == nil { next = try requests.next() }
    }
  }

  private func begin(_ connection: Connection) throws(Problem) -> Call {
    let request = self.connection.request(
      method.callPath, metadata: self.connection.target.metadata, until: deadline)
    let limit = self.connection.target.receiveLimit
    return try problems { () throws(Fault) in try connection.start(request, kind: method.kind, receiveLimit: limit) }
  }

  /// The request of a call that has one: an empty message where none is given.
  private func onlyRequest(_ requests: inout RequestSource) throws(Problem) -> [UInt8] {
    var only = try requests.next()
    while true {
      let second = only == nil ? nil : try requests.next()
      guard second == nil else {
        throw Problem("REQUEST_INVALID", "\(method.fullName) takes one request, and there are more")
      }
      guard requests.isReading else { return only ?? [] }
      guard try wait(.input, &requests, on: nil) else { throw Problem("DEADLINE_EXPIRED", "no request came in time") }
      if only == nil { only = try requests.next() }
    }
  }

  /// What is waited for beside time.
  private enum Wait {
    case connection
    /// The connection, and standard input.
    case input
  }

  /// Waits, and moves what can be moved; false where the deadline came first.
  private func wait(_ what: Wait, _ requests: inout RequestSource) throws(Problem) -> Bool {
    try wait(what, &requests, on: connection.connection)
  }

  private func wait(_ what: Wait, _ requests: inout RequestSource, on connection: Connection?) throws(Problem) -> Bool {
    // What is due goes out before anything is waited for; what comes of that alone must not wait for the server.
    if connection?.pump(isReady: false) == true { return true }
    // Asked for itself: a server that never pauses leaves nothing to wait for.
    guard !deadline.hasPassed else { return false }
    var poll = waiter.makePoll()
    let hasMore = connection?.add(to: &poll) ?? false
    let reads = what == .input && requests.isReading
    if reads { poll.addInput() }
    let limit = hasMore ? Deadline(nanoseconds: 0) : deadline
    let isReady = try problems { () throws(Fault) in try waiter.wait(&poll, until: limit) }
    guard isReady || hasMore else { return false }
    let inputIndex = connection == nil ? 1 : 2
    if let connection, hasMore || poll.isReady(1) { connection.pump(isReady: true) }
    if reads, poll.isReady(inputIndex) { requests.read() }
    return true
  }

  private func problems<T>(_ body: () throws(Fault) -> T) throws(Problem) -> T {
    do throws(Fault) { return try body() } catch { throw Problem(error) }
  }
}
