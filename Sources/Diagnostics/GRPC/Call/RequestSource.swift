// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import JSON
internal import Protobuf
internal import Sys

/// The requests of a call: a sequence of JSON values, or of messages in the text format, given at once or read from
/// standard input while the call runs.
struct RequestSource {
  /// The largest request, in bytes.
  private static let requestLimit = 64 << 20

  private var type: MessageDescriptor
  private let schemas: GRPCSchemas
  private let form: RequestForm
  private var splitter: JSONSplitter
  private var texts = TextSplitter(limit: RequestSource.requestLimit)
  /// How many requests were read, the one included that is being read.
  private var count = 0
  /// Whether standard input may bring more.
  private(set) var isReading: Bool

  /// Requests of a message type, which schemas may know more about.
  init(_ data: RequestData, as type: MessageDescriptor, _ schemas: GRPCSchemas, _ form: RequestForm) {
    self.type = type
    self.schemas = schemas
    self.form = form
    var limits = JSONLimits()
    limits.bytes = Self.requestLimit
    splitter = JSONSplitter(.values, limits: limits)
    switch data {
    case .input: isReading = true
    case .bytes(let bytes):
      isReading = false
      receive(bytes)
      receive([])
    }
  }

  /// Takes what standard input has, of which a poll has said that there is something.
  mutating func read() {
    let chunk = StandardInput.readSome()
    receive(chunk)
    isReading = !chunk.isEmpty
  }

  /// Takes bytes; none mean the end.
  private mutating func receive(_ bytes: [UInt8]) {
    switch form {
    case .text: texts.receive(bytes)
    case .json: if bytes.isEmpty { splitter.receiveEnd() } else { splitter.receive(bytes[...]) }
    }
  }

  /// The next request, encoded; nil where there is none, or none yet.
  mutating func next() throws(Problem) -> [UInt8]? {
    count += 1
    guard let message = try nextMessage() else {
      count -= 1
      return nil
    }
    var bytes: [UInt8] = []
    do throws(MessageError) { try message.encode(into: &bytes) } catch { throw refusal(error.message) }
    return bytes
  }

  private mutating func nextMessage() throws(Problem) -> DynamicMessage? {
    switch form {
    case .json(var options):
      options.limits.bytes = Self.requestLimit
      let value: ArraySlice<UInt8>?
      do throws(JSONError) { value = try splitter.next() } catch { throw refusal(error.message) }
      guard let value else { return nil }
      return try read(value, options)
    case .text:
      guard let text = texts.next() else {
        guard !texts.isTooLarge else { throw refusal("it is larger than \(Self.requestLimit) bytes") }
        return nil
      }
      do throws(SourceError) { return try DynamicMessage(text: text, as: type, name: "request \(count)") } catch {
        throw refusal(error.message)
      }
    }
  }

  private mutating func read(
    _ value: ArraySlice<UInt8>, _ options: JSONReadingOptions
  ) throws(Problem) -> DynamicMessage {
    while true {
      do throws(MappingError) { return try DynamicMessage(json: value, as: type, options: options) } catch {
        // A method's schema need not have what an Any is given as: each such type is asked for once.
        guard case .unknownType(let url) = error.code, let slash = url.utf8.lastIndex(of: 0x2F),
          let name = String(url.utf8[url.utf8.index(after: slash)...]),
          let known = schemas.pool(with: [name])?.message(named: type.fullName)
        else { throw refusal(error.message) }
        type = known
      }
    }
  }

  private func refusal(_ reason: String) -> Problem {
    Problem("REQUEST_INVALID", "request \(count) is no \(type.fullName): \(reason.safeForDisplay)")
  }
}

/// What `--data` gives: a text, `@FILE`, or `@` for standard input; nothing where it is not given.
enum RequestData {
  case bytes([UInt8])
  /// What standard input will bring.
  case input

  /// The largest file, in bytes.
  private static let fileLimit = 256 << 20

  init(_ flags: FlagValues) throws(UsageError) {
    let text = flags.string("data")
    if text == "@" || text == "@-" {
      self = .input
    } else if let path = text.after("@") {
      do throws(SystemError) { self = .bytes(try Files.read(path, limit: Self.fileLimit)) } catch {
        throw UsageError(line: "cannot read \(path.quoted): \(error.text)")
      }
    } else {
      self = .bytes(Array(text.utf8))
    }
  }
}

/// What requests are written in.
enum RequestForm {
  case json(JSONReadingOptions)
  case text
}

/// Cuts messages in the text format apart: a record separator stands between them.
private struct TextSplitter {
  private static let separator: UInt8 = 0x1E

  private let limit: Int
  private var bytes: [UInt8] = []
  private var hasEnded = false
  private var isFirst = true

  init(limit: Int) { self.limit = limit }

  /// How much of the bytes was looked at, and has no separator.
  private var scanned = 0

  /// Whether a message has begun that is larger than any may be.
  var isTooLarge: Bool { scanned > limit }

  mutating func receive(_ more: [UInt8]) {
    hasEnded = more.isEmpty
    bytes += more
  }

  mutating func next() -> [UInt8]? {
    if let end = bytes[scanned...].firstIndex(of: Self.separator) {
      let text = Array(bytes[..<end])
      bytes.removeFirst(end + 1)
      scanned = 0
      isFirst = false
      return text
    }
    scanned = bytes.count
    // White space alone is no message, unless a separator says so.
    guard hasEnded, !isFirst || bytes.contains(where: { $0 > 0x20 }) else { return nil }
    hasEnded = false
    isFirst = true
    defer { (bytes, scanned) = ([], 0) }
    return bytes
  }
}
