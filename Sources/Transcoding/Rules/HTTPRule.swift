// SPDX-License-Identifier: Apache-2.0

// Transcoding: what leads from requests of HTTP and JSON to methods of gRPC and back, as google/api/http.proto has it.
// Bytes in, bytes out: sockets, servers and calls are the gateway's.

public import Protobuf

/// How HTTP requests lead to one method: `google.api.HttpRule`.
public struct HTTPRule: Equatable, Sendable {
  /// The number of the extension `google.api.http` of `google.protobuf.MethodOptions`.
  public static let extensionNumber = 72_295_728

  /// The full name of the method, `user.v1.UserService.GetUser`; empty where the rule stands at its method.
  public var selector = ""
  /// The HTTP method in capitals, `*` for any; empty where the rule has none.
  public var method = ""
  /// The template of the path.
  public var template = ""
  /// The field that the body holds; `*` for all that the path does not name; empty for no body.
  public var body = ""
  /// The field that the response's body is; empty for the whole response.
  public var responseBody = ""
  /// Further rules for the same method. They have none of their own: what stands there all the same is kept, so that it
  /// can be told.
  public var additionalBindings: [HTTPRule] = []

  /// A rule of an HTTP method and a template.
  public init(_ method: String, _ template: String, body: String = "", responseBody: String = "") {
    self.method = method
    self.template = template
    self.body = body
    self.responseBody = responseBody
  }

  /// Reads a serialized `google.api.HttpRule`.
  public init(decoding bytes: ArraySlice<UInt8>) throws(WireError) { try self.init(bytes, level: 0) }

  /// Bindings within bindings within bindings are left out: one level is allowed, and the second shows the fault.
  private init(_ bytes: ArraySlice<UInt8>, level: Int) throws(WireError) {
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: selector = try field.value.string() ?? selector
      case 2, 3, 4, 5, 6:
        guard let text = try field.value.string() else { continue }
        method =
          switch field.number {
          case 2: "GET"
          case 3: "PUT"
          case 4: "POST"
          case 5: "DELETE"
          default: "PATCH"
          }
        template = text
      case 7: body = try field.value.string() ?? body
      case 8:
        guard case .bytes(let custom) = field.value else { continue }
        try readCustom(custom)
      case 11:
        guard case .bytes(let binding) = field.value, level < 2 else { continue }
        additionalBindings.append(try HTTPRule(binding, level: level + 1))
      case 12: responseBody = try field.value.string() ?? responseBody
      default: break
      }
    }
  }

  /// Reads a `google.api.CustomHttpPattern`.
  private mutating func readCustom(_ bytes: ArraySlice<UInt8>) throws(WireError) {
    method = ""
    template = ""
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: method = try field.value.string() ?? method
      case 2: template = try field.value.string() ?? template
      default: break
      }
    }
  }

  /// The rule at a method; nil where there is none. The schema of the annotation need not be in the pool.
  public init?(of method: MethodDescriptor) throws(WireError) {
    // One message may come in parts, which belong together.
    var bytes: [UInt8] = []
    var isSet = false
    for value in method.options.values(of: Self.extensionNumber) {
      guard case .bytes(let part) = value else { continue }
      bytes += part
      isSet = true
    }
    guard isSet else { return nil }
    try self.init(decoding: bytes[...])
  }
}
