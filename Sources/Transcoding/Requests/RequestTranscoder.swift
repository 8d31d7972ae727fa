// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
public import Protobuf

/// How requests are read.
public struct RequestOptions: Sendable {
  /// Whether parameters and members of the body that name no field are refused, and not passed over.
  public var isStrict = false
  /// Whether the body of a request to a route that takes none is passed over whatever it is.
  public var ignoresStrayBody = false
  /// How much of a body is taken.
  public var limits = MessageLimits()
  /// How many parameters a query has at most.
  public var parameterLimit = 1_000

  /// Lenient as to names, strict as to everything else.
  public init() {}
}

/// Makes the messages of one request from its path, its query and its body.
///
/// The body is read first, then what the path says takes its place, then the query adds what neither of them holds:
/// parameters for a field that is a variable of the path, or lies in the field that the body is, are passed over. Where
/// the body is the whole request, no parameter names a field.
///
/// A route that takes no body refuses one that says anything: white space and `{}`, which many clients send
/// regardless, say nothing. What a client means by more would be lost without a word.
public struct RequestTranscoder: Sendable {
  /// The route.
  public let route: Route
  private let match: RouteMatch
  private let query: ArraySlice<UInt8>
  private let contentType: String
  private let options: RequestOptions

  /// A transcoder of a request of a matching path, the raw bytes of its query without the question mark, and the value
  /// of its `Content-Type`, which is kept for a `google.api.HttpBody`.
  public init(
    _ match: RouteMatch, query: ArraySlice<UInt8> = [], contentType: String = "",
    options: RequestOptions = RequestOptions()
  ) {
    route = match.route
    self.match = match
    self.query = query
    self.contentType = contentType
    self.options = options
  }

  /// Appends the encoded message of a body, of a path and of a query: the only one of a unary call, the first one of a
  /// stream. An error leaves `bytes` as they were.
  public func encode(body: ArraySlice<UInt8>, into bytes: inout [UInt8]) throws(TranscodingError) {
    try encode(try message(body: body), into: &bytes)
  }

  /// Appends the encoded message of a body alone: one of a stream behind the first, whose path and query the first one
  /// has. An error leaves `bytes` as they were.
  public func encode(followingBody body: ArraySlice<UInt8>, into bytes: inout [UInt8]) throws(TranscodingError) {
    var message = DynamicMessage(route.method.input)
    try read(body, into: &message)
    try encode(message, into: &bytes)
  }

  /// Appends the encoded message of a text frame of a WebSocket: a JSON form of the body, or, where the route takes
  /// none, of the whole message. The first one has what the path and the query say, too.
  public func encode(
    frame: ArraySlice<UInt8>, isFirst: Bool, into bytes: inout [UInt8]
  ) throws(TranscodingError) {
    var message = DynamicMessage(route.method.input)
    try read(frame, as: route.body == .none ? .whole : route.body, into: &message)
    if isFirst { try readURL(into: &message) }
    try encode(message, into: &bytes)
  }

  /// The message of a body, of the path and of the query.
  public func message(body: ArraySlice<UInt8>) throws(TranscodingError) -> DynamicMessage {
    var message = DynamicMessage(route.method.input)
    try read(body, into: &message)
    try readURL(into: &message)
    try fillMask(&message, from: body)
    return message
  }

  private func encode(_ message: DynamicMessage, into bytes: inout [UInt8]) throws(TranscodingError) {
    do throws(MessageError) { try message.encode(into: &bytes, depthLimit: options.limits.depth) } catch {
      throw TranscodingError(.body, field: error.path, MessageError.reason(error))
    }
  }

  // MARK: - The body

  private func read(_ body: ArraySlice<UInt8>, into message: inout DynamicMessage) throws(TranscodingError) {
    try read(body, as: route.body, into: &message)
  }

  private func read(
    _ bytes: ArraySlice<UInt8>, as body: Route.Body, into message: inout DynamicMessage
  ) throws(TranscodingError) {
    guard bytes.count <= options.limits.bytes else {
      throw TranscodingError(.tooLarge, "the body is larger than \(options.limits.bytes) bytes")
    }
    if let raw = route.rawRequest { return try read(bytes, as: raw, body, into: &message) }
    if bytes.isBlank { return }
    var reading = JSONReadingOptions()
    reading.ignoresUnknown = !options.isStrict
    reading.limits = options.limits
    reading.allowsMissingRequired = true
    switch body {
    case .none:
      guard options.ignoresStrayBody || bytes.isEmptyObject else {
        throw TranscodingError(.body, "the route \(route.httpMethod) \(route.template.text) takes no body")
      }
    case .whole:
      do throws(MappingError) {
        message = try DynamicMessage(json: bytes, as: route.method.input, options: reading)
      } catch { throw TranscodingError(.body, error) }
    case .field(let field):
      do throws(MappingError) { try message.merge(json: bytes, at: field, options: reading) } catch {
        throw TranscodingError(.body, error, within: field.name)
      }
    }
  }

  /// Takes the bytes as they are.
  private func read(
    _ bytes: ArraySlice<UInt8>, as raw: RawBody, _ body: Route.Body, into message: inout DynamicMessage
  ) throws(TranscodingError) {
    var content = DynamicMessage(raw.type)
    do throws(MessageError) {
      try content.set(.string(contentType), for: raw.contentType)
      try content.set(.bytes(Array(bytes)), for: raw.data)
      if case .field(let field) = body { try message.set(.message(content), for: field) } else { message = content }
    } catch { throw TranscodingError(.body, field: error.path, MessageError.reason(error)) }
  }

  // MARK: - The path and the query

  private func readURL(into message: inout DynamicMessage) throws(TranscodingError) {
    for (variable, range) in zip(route.variables, match.captures) {
      let raw = match.path[match.path.startIndex + range.lowerBound..<match.path.startIndex + range.upperBound]
      guard let value = PercentCoding.decode(raw, keepsSlashes: !variable.isSingle) else {
        throw TranscodingError.malformedPath
      }
      do throws(MappingError) {
        try message.set(parameter: value, at: variable.path, limits: options.limits)
      } catch { throw TranscodingError(.path, error) }
    }
    guard !query.isEmpty else { return }
    var parameters = QueryParameters(query, limit: options.parameterLimit)
    var seen: Set<FieldPath> = []
    while let parameter = try parameters.next() {
      try read(parameter, &seen, into: &message)
    }
  }

  private func read(
    _ parameter: QueryParameters.Parameter, _ seen: inout Set<FieldPath>, into message: inout DynamicMessage
  ) throws(TranscodingError) {
    var name = parameter.name
    var key: ArraySlice<UInt8>?
    if name.last == 0x5D, let bracket = name.firstIndex(of: 0x5B) {
      key = name[(bracket + 1)..<(name.endIndex - 1)]
      name = name[..<bracket]
    }
    guard route.body != .whole, let path = message.type.path(named: name) else {
      guard !options.isStrict else {
        throw TranscodingError(
          .query, "the parameter " + QueryParameters.shown(parameter.name) + " names no field that a query can set")
      }
      return
    }
    if case .field(let field) = route.body, path.begins(with: field) { return }
    if route.variables.contains(where: { $0.path == path }) { return }
    if !path.isRepeated, !seen.insert(path).inserted {
      throw TranscodingError(.query, field: path.text, "the parameter stands twice, and the field has one value")
    }
    do throws(MappingError) {
      try message.set(parameter: value(parameter.value, path), key: key, at: path, limits: options.limits)
    } catch { throw TranscodingError(.query, error) }
  }

  /// The value of a parameter. Base64 has no space: it is a `+` that was not escaped.
  private func value(_ text: ArraySlice<UInt8>, _ path: FieldPath) -> ArraySlice<UInt8> {
    guard path.type == .bytes, text.contains(0x20) else { return text }
    return text.map { $0 == 0x20 ? 0x2B : $0 }[...]
  }

  // MARK: - PATCH

  /// Fills the field mask of a PATCH that has none from what stands in the body.
  private func fillMask(_ message: inout DynamicMessage, from body: ArraySlice<UInt8>) throws(TranscodingError) {
    guard let field = route.mask, let type = field.message, let paths = type.field(numbered: 1),
      case .field(let resource) = route.body, let content = resource.message, !body.isBlank
    else { return }
    do throws(MessageError) { if try message.has(field) { return } } catch { return }
    let prefix = resource.name + "."
    // What the path says is not what is to change.
    let named = route.variables.compactMap { $0.path.text.after(prefix) }
    var reader = MaskReader(body, content, limits: options.limits)
    let found: [String]
    do throws(TranscodingError) { found = try reader.paths().filter { !named.contains($0) } } catch {
      throw TranscodingError(error.code, field: prefix + error.field, error.reason)
    }
    guard !found.isEmpty else { return }
    var mask = DynamicMessage(type)
    do throws(MessageError) {
      try mask.set(.list(found.map { .string($0) }), for: paths)
      try message.set(.message(mask), for: field)
    } catch { throw TranscodingError(.body, field: error.path, MessageError.reason(error)) }
  }
}

extension ArraySlice<UInt8> {
  /// Whether nothing but JSON's white space is there.
  var isBlank: Bool { allSatisfy { $0.isJSONSpace } }

  /// Whether an object without members is there, and nothing else.
  fileprivate var isEmptyObject: Bool {
    var step = 0
    for byte in self where !byte.isJSONSpace {
      guard step < 2, byte == (step == 0 ? 0x7B : 0x7D) else { return false }
      step += 1
    }
    return step == 2
  }
}

extension UInt8 {
  /// Whether the byte is a space of JSON (RFC 8259 section 2).
  var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}

extension MessageError {
  /// The message without the path in front.
  fileprivate static func reason(_ error: MessageError) -> String {
    error.path.isEmpty ? error.message : error.message.after(error.path + ": ") ?? error.message
  }
}
