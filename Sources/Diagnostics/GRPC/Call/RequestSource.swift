// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Protobuf
internal import Sys

/// The requests of a call: a sequence of JSON values, given at once or read from standard input while the call runs.
struct RequestSource {
  /// The largest file of requests, and the largest request, in bytes.
  private static let fileLimit = 256 << 20
  private static let requestLimit = 64 << 20

  private let type: MessageDescriptor
  private var options: JSONReadingOptions
  private var splitter: JSONSplitter
  /// How many requests were read, the one included that is being read.
  private var count = 0
  /// Whether standard input may bring more.
  private(set) var isReading: Bool

  /// Requests of a message type, as `--data` has them: a text, `@FILE`, or `@` for standard input.
  init(_ data: String?, as type: MessageDescriptor, _ options: JSONReadingOptions) throws(UsageError) {
    self.type = type
    self.options = options
    self.options.limits.bytes = Self.requestLimit
    var limits = JSONLimits()
    limits.bytes = Self.requestLimit
    splitter = JSONSplitter(.values, limits: limits)
    isReading = data == "@" || data == "@-"
    guard !isReading else { return }
    if let path = data?.after("@") {
      do throws(SystemError) { splitter.receive(try Files.read(path, limit: Self.fileLimit)[...]) } catch {
        throw UsageError(line: "cannot read \(path.quoted): \(error.text)")
      }
    } else {
      splitter.receive(Array((data ?? "").utf8)[...])
    }
    splitter.receiveEnd()
  }

  /// Takes what standard input has, of which a poll has said that there is something.
  mutating func read() {
    let chunk = StandardInput.readSome()
    if chunk.isEmpty {
      splitter.receiveEnd()
      isReading = false
    } else {
      splitter.receive(chunk[...])
    }
  }

  /// The next request, encoded; nil where there is none, or none yet.
  mutating func next() throws(Problem) -> [UInt8]? {
    let value: ArraySlice<UInt8>?
    count += 1
    do throws(JSONError) { value = try splitter.next() } catch { throw refusal(error.message) }
    guard let value else {
      count -= 1
      return nil
    }
    var bytes: [UInt8] = []
    let message: DynamicMessage
    do throws(MappingError) { message = try DynamicMessage(json: value, as: type, options: options) } catch {
      throw refusal(error.message)
    }
    do throws(MessageError) { try message.encode(into: &bytes) } catch { throw refusal(error.message) }
    return bytes
  }

  private func refusal(_ reason: String) -> Problem {
    Problem("REQUEST_INVALID", "request \(count) is no \(type.fullName): \(reason.safeForDisplay)")
  }
}
