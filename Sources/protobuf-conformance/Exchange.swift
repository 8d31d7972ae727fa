// SPDX-License-Identifier: Apache-2.0

import Protobuf

// The messages of the conformance runner, by their numbers.

/// What the runner asks.
struct ConformanceRequest {
  /// A message in one of its forms.
  enum Payload {
    case protobuf(ArraySlice<UInt8>)
    case json(ArraySlice<UInt8>)
    /// JSPB or text format, which are not spoken here.
    case other
  }

  /// Unless the runner sends one, an empty message.
  private(set) var payload = Payload.protobuf([])
  /// The form of the answer: 1 is Protobuf, 2 is JSON.
  private(set) var format: Int32 = 0
  /// The message's full name.
  private(set) var type = ""
  /// What kind of test it is.
  private(set) var category: Int32 = 0

  /// Whether members without a field are to be passed over: the category of these tests.
  var ignoresUnknown: Bool { category == 3 }

  init(_ bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let bytes)): payload = .protobuf(bytes)
      case (2, .bytes(let bytes)): payload = .json(bytes)
      case (3, .varint(let value)): format = Int32(truncatingIfNeeded: value)
      case (4, .bytes): type = try field.value.string() ?? ""
      case (5, .varint(let value)): category = Int32(truncatingIfNeeded: value)
      case (7, .bytes), (8, .bytes): payload = .other
      default: break
      }
    }
  }
}

/// What the runner is answered.
enum ConformanceResponse {
  case protobuf([UInt8])
  case json([UInt8])
  /// The payload is no message of the type.
  case parseError(String)
  /// The message has no such form.
  case serializeError(String)
  /// The request itself could not be understood.
  case runtimeError(String)
  case skipped(String)

  var encoded: [UInt8] {
    var writer = WireWriter()
    switch self {
    case .parseError(let line): writer.string(line, field: 1)
    case .runtimeError(let line): writer.string(line, field: 2)
    case .protobuf(let bytes): writer.bytes(bytes, field: 3)
    case .json(let bytes): writer.bytes(bytes, field: 4)
    case .skipped(let line): writer.string(line, field: 5)
    case .serializeError(let line): writer.string(line, field: 6)
    }
    return writer.bytes
  }
}

extension DescriptorPool {
  /// Does what a request asks for.
  func answer(_ bytes: [UInt8]) -> ConformanceResponse {
    let request: ConformanceRequest
    do throws(WireError) { request = try ConformanceRequest(bytes) } catch {
      return .runtimeError("the request is malformed at byte \(error.offset)")
    }
    // Older runners ask for a list of the tests that are known to fail: there is none.
    if request.type == "conformance.FailureSet" { return .protobuf([]) }
    guard request.format == 1 || request.format == 2 else { return .skipped("only Protobuf and JSON are spoken") }
    guard let type = message(named: request.type) else {
      return .runtimeError("the descriptors have no message \(request.type)")
    }
    switch request.payload {
    case .protobuf(let bytes):
      do throws(MessageError) {
        return try DynamicMessage(decoding: bytes, as: type).answer(request.format)
      } catch { return .parseError(error.message) }
    case .json(let json):
      var options = JSONReadingOptions()
      options.ignoresUnknown = request.ignoresUnknown
      do throws(MappingError) {
        return try DynamicMessage(json: json, as: type, options: options).answer(request.format)
      } catch { return .parseError(error.message) }
    case .other: return .skipped("only Protobuf and JSON are spoken")
    }
  }
}

extension DynamicMessage {
  /// The message in the form that is asked for.
  fileprivate func answer(_ format: Int32) -> ConformanceResponse {
    var bytes: [UInt8] = []
    if format == 1 {
      do throws(MessageError) { try encode(into: &bytes) } catch { return .serializeError(error.message) }
      return .protobuf(bytes)
    }
    do throws(MappingError) { try writeJSON(into: &bytes) } catch { return .serializeError(error.message) }
    return .json(bytes)
  }
}
