// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Reads the response to one request, whichever way it is cut into pieces.
///
///     status ──▶ field ─┬─▶ (1xx) status again        body ───────────▶ finished
///                       ├─▶ no body: finished         untilClose ─────▶ finished, by the connection's end
///                       └─▶ ───────────────────────▶  chunkSize ─┬─▶ trailer ─▶ finished
///                                                         ▲      ▼
///                                                      chunkEnd ◀ chunk
///
/// Every state may also end as failed. A line may end with a line feed alone (RFC 9112 section 2.2), but not that of a
/// chunk.
public struct HTTP1ResponseParser: Sendable {
  private enum State {
    case status, field, chunkSize, chunkEnd, trailer
    /// So many bytes of the body are to come.
    case body(Int)
    /// So many bytes of the chunk are to come.
    case chunk(Int)
    case untilClose, finished, failed
  }

  /// How many bytes came after the response's end: an answer to nothing, or another protocol after a 101.
  public private(set) var surplusByteCount = 0
  /// Whether the response has ended, well or not.
  public var isFinished: Bool {
    switch state {
    case .finished, .failed: true
    default: false
    }
  }

  private let method: String
  private let limits: HTTP1Limits
  private var state = State.status
  private var events: [HTTP1Event] = []
  /// What the next event of the body has: small chunks become one, so that what waits takes as much memory as it has
  /// bytes.
  private var body: [UInt8] = []
  private var line: [UInt8] = []
  private var offset = 0
  private var sectionStart = 0
  private var head = HTTP1Head(status: 0, reason: "", fields: [])
  private var trailers: [HTTP1Field] = []
  private var interimCount = 0

  /// A parser of the response to a request of this method, which decides whether there is a body.
  public init(method: String = "GET", limits: HTTP1Limits = HTTP1Limits()) {
    self.method = method
    self.limits = limits
  }

  /// The next event; nil until there are more bytes.
  public mutating func nextEvent() -> HTTP1Event? {
    if events.isEmpty { flushBody() }
    return events.isEmpty ? nil : events.removeFirst()
  }

  /// Takes bytes of the connection.
  public mutating func receive(_ bytes: Span<UInt8>) {
    var index = 0
    while index < bytes.count {
      switch state {
      case .finished, .failed:
        if case .finished = state { surplusByteCount += bytes.count - index }
        return
      case .body(let left):
        let count = min(left, bytes.count - index)
        appendBody(bytes.extracting(index..<index + count))
        index += count
        state = .body(left - count)
        if left == count { finish() }
      case .chunk(let left):
        let count = min(left, bytes.count - index)
        appendBody(bytes.extracting(index..<index + count))
        index += count
        state = left == count ? .chunkEnd : .chunk(left - count)
      case .untilClose:
        appendBody(bytes.extracting(index..<bytes.count))
        index = bytes.count
      case .status, .field, .chunkSize, .chunkEnd, .trailer:
        take(bytes[index])
        index += 1
      }
    }
  }

  /// Takes the connection's end.
  public mutating func receiveEnd() {
    switch state {
    case .finished, .failed: break
    case .untilClose: finish()
    case .status where offset == 0: fail(.noResponse)
    case .status, .field: fail(.endedInHead)
    case .body, .chunk, .chunkSize, .chunkEnd, .trailer: fail(.endedInBody)
    }
  }

  private mutating func appendBody(_ bytes: Span<UInt8>) {
    offset += bytes.count
    for index in 0..<bytes.count { body.append(bytes[index]) }
  }

  private mutating func emit(_ event: HTTP1Event) {
    flushBody()
    events.append(event)
  }

  private mutating func flushBody() {
    guard !body.isEmpty else { return }
    events.append(.body(body))
    body = []
  }

  private mutating func take(_ byte: UInt8) {
    offset += 1
    if case .chunkEnd = state {
      takeChunkEnd(byte)
      return
    }
    guard offset - sectionStart <= limits.headLength else { return fail(.headTooLarge) }
    guard byte == 0x0A else {
      guard line.count < limits.lineLength else { return fail(.lineTooLong) }
      line.append(byte)
      return
    }
    let hasReturn = line.last == 0x0D
    if hasReturn { line.removeLast() }
    let text = line
    line.removeAll(keepingCapacity: true)
    do throws(HTTP1Error) {
      switch state {
      case .status: try takeStatusLine(text)
      case .field: try text.isEmpty ? takeHead() : head.fields.append(field(text, head.fields.count))
      case .trailer: try text.isEmpty ? finish() : trailers.append(field(text, trailers.count))
      default:
        guard hasReturn else { throw error(.badChunk) }
        try takeChunkSize(text)
      }
    } catch { fail(error) }
  }

  private mutating func takeStatusLine(_ line: [UInt8]) throws(HTTP1Error) {
    guard line.starts(with: Array("HTTP/".utf8)), line.count >= 12, line[5].isASCIIDigit, line[6] == 0x2E,
      line[7].isASCIIDigit, line[8] == 0x20, let status = parseDecimal(line[9..<12]), status >= 100,
      line.count == 12 || line[12] == 0x20, line.allSatisfy(isFieldByte)
    else { throw error(.badStatusLine) }
    guard line[5] == 0x31 else { throw error(.badVersion) }
    head = HTTP1Head(
      minorVersion: line[7] - 0x30, status: status, reason: String(systemBytes: Array(line.dropFirst(13))), fields: [])
    state = .field
  }

  private func field(_ line: [UInt8], _ count: Int) throws(HTTP1Error) -> HTTP1Field {
    guard line.first != 0x20, line.first != 0x09 else { throw error(.foldedField) }
    guard count < limits.fieldCount else { throw error(.tooManyFields) }
    guard let colon = line.firstIndex(of: 0x3A), isToken(line[..<colon]), line.allSatisfy(isFieldByte) else {
      throw error(.badField)
    }
    return HTTP1Field(
      String(decoding: line[..<colon], as: UTF8.self),
      String(systemBytes: Array(line[(colon + 1)...])).asciiTrimmed)
  }

  /// Decides how the body's end is known (RFC 9112 section 6.3). Where two fields could tell different tales, none
  /// does.
  private mutating func takeHead() throws(HTTP1Error) {
    sectionStart = offset
    if head.isInterim {
      interimCount += 1
      guard interimCount <= limits.interimCount else { throw error(.tooManyInterim) }
      emit(.head(head))
      state = .status
      return
    }
    let body = try bodyState()
    emit(.head(head))
    state = body
    if case .finished = body { finish() }
  }

  private func bodyState() throws(HTTP1Error) -> State {
    // A 101, and what CONNECT opens, hand the connection over to another protocol.
    let hasNoBody = method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304
    if hasNoBody || method == "CONNECT" && head.status < 300 { return .finished }
    let lengths = head.fields.filter { $0.name.equalsIgnoringASCIICase("Content-Length") }
    let codings = head.fields.filter { $0.name.equalsIgnoringASCIICase("Transfer-Encoding") }
    guard lengths.isEmpty || codings.isEmpty else { throw error(.conflictingLengths) }
    if let coding = codings.first {
      guard codings.count == 1, coding.value.equalsIgnoringASCIICase("chunked"), head.minorVersion >= 1 else {
        throw error(.badTransferEncoding)
      }
      return .chunkSize
    }
    guard let length = lengths.first else { return .untilClose }
    guard lengths.count == 1, let count = parseDecimal(length.value.utf8) else { throw error(.badContentLength) }
    return count == 0 ? .finished : .body(count)
  }

  private mutating func takeChunkSize(_ line: [UInt8]) throws(HTTP1Error) {
    let digits = line.prefix { $0.hexDigitValue != nil }
    // What follows are extensions, which nobody uses: blanks and a semicolon come first.
    let rest = line[digits.endIndex...].drop { $0 == 0x20 || $0 == 0x09 }
    guard !digits.isEmpty, rest.isEmpty || rest.first == 0x3B, line.allSatisfy(isFieldByte) else {
      throw error(.badChunk)
    }
    var size = 0
    for digit in digits {
      guard size <= Int.max >> 4 else { throw error(.chunkTooLarge) }
      size = size << 4 | Int(digit.hexDigitValue ?? 0)
    }
    state = size == 0 ? .trailer : .chunk(size)
    sectionStart = offset
  }

  private mutating func takeChunkEnd(_ byte: UInt8) {
    line.append(byte)
    if line == [0x0D, 0x0A] {
      line = []
      sectionStart = offset
      state = .chunkSize
    } else if line != [0x0D] {
      fail(.badChunk)
    }
  }

  private mutating func finish() {
    state = .finished
    emit(.end(trailers: trailers))
  }

  private func error(_ code: HTTP1Error.Code) -> HTTP1Error { HTTP1Error(code, at: offset) }

  private mutating func fail(_ code: HTTP1Error.Code) { fail(error(code)) }

  private mutating func fail(_ error: HTTP1Error) {
    state = .failed
    line = []
    emit(.failed(error))
  }
}
