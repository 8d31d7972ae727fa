// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import GRPC
public import Protobuf

/// One way from HTTP to a method: an HTTP method, a template of paths, and what comes from where.
public final class Route: Sendable {
  /// What the body of a request holds.
  public enum Body: Equatable, Sendable {
    /// Nothing.
    case none
    /// All fields that the path does not name.
    case whole
    /// One field of the request.
    case field(FieldDescriptor)
  }

  /// A variable of the template and the field that it is the value of.
  struct Variable: Sendable {
    let path: FieldPath
    let segments: Range<Int>
    let isSingle: Bool
  }

  /// The method.
  public let method: MethodDescriptor
  /// How many messages go each way.
  public let kind: CallKind
  /// The HTTP method in capitals; `*` for any.
  public let httpMethod: String
  /// The template of the path.
  public let template: PathTemplate
  /// What the body of a request holds.
  public let body: Body
  /// The field of the response that the body of an answer is; nil for the whole response.
  public let responseField: FieldDescriptor?
  /// Whether the route is no rule's, but one of the patterns' that open `POST /package.Service/Method`.
  public let isExposed: Bool

  let variables: [Variable]
  /// The field mask that is filled from the body of a PATCH.
  let mask: FieldDescriptor?
  /// Where the raw bytes of a request's body go, for `google.api.HttpBody`.
  let rawRequest: RawBody?
  /// Where the raw bytes of an answer come from.
  let rawResponse: RawBody?

  /// Whether the body of a request is bytes of any type, and no JSON.
  public var takesRawBody: Bool { rawRequest != nil }
  /// Whether the body of an answer is bytes of any type, and no JSON.
  public var givesRawBody: Bool { rawResponse != nil }

  /// The fields that the path's variables are the values of, in the order of the template.
  public var pathFields: [FieldPath] { variables.map { $0.path } }

  init(_ rule: HTTPRule, _ method: MethodDescriptor, isExposed: Bool) throws(RouteFault) {
    self.method = method
    self.isExposed = isExposed
    kind =
      switch (method.isClientStreaming, method.isServerStreaming) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): .clientStreaming
      case (true, true): .bidirectional
      }
    guard !rule.method.isEmpty else { throw RouteFault("the rule has no HTTP method") }
    guard Self.isMethod(rule.method) else { throw RouteFault(rule.method.quoted + " is no HTTP method") }
    httpMethod = rule.method
    do throws(PathTemplateError) { template = try PathTemplate(rule.template) } catch {
      throw RouteFault(error.message)
    }
    let input = method.input
    var variables: [Variable] = []
    for variable in template.variables {
      let path = try Self.path(variable, of: input)
      guard !variables.contains(where: { $0.path == path }) else {
        throw RouteFault("two variables of the template are the field \"" + path.text + "\"")
      }
      variables.append(Variable(path: path, segments: variable.segments, isSingle: variable.isSingle))
    }
    self.variables = variables
    switch rule.body {
    case "": body = .none
    case "*": body = .whole
    default:
      let field = try Self.field(rule.body, "body", of: input)
      guard !variables.contains(where: { $0.path.field == field }) else {
        throw RouteFault("the body is the field " + rule.body.quoted + ", which is a variable of the path")
      }
      body = .field(field)
    }
    responseField =
      rule.responseBody.isEmpty ? nil : try Self.field(rule.responseBody, "response_body", of: method.output)
    switch body {
    case .none: rawRequest = nil
    case .whole: rawRequest = RawBody(input)
    case .field(let field): rawRequest = field.cardinality == .repeated ? nil : field.message.flatMap { RawBody($0) }
    }
    if let responseField {
      let isOne = responseField.cardinality != .repeated
      rawResponse = isOne ? responseField.message.flatMap { RawBody($0) } : nil
    } else {
      rawResponse = RawBody(method.output)
    }
    mask = httpMethod == "PATCH" ? Self.mask(beside: body, in: input) : nil
  }

  private static func path(
    _ variable: PathTemplate.Variable, of input: MessageDescriptor
  ) throws(RouteFault) -> FieldPath {
    let place = "column \(variable.column): "
    guard let path = input.path(named: variable.fieldPath) else {
      throw RouteFault(place + input.fullName + " has no field \"" + variable.fieldPath + "\" that a path can lead to")
    }
    guard !path.isRepeated else {
      throw RouteFault(place + "the field \"" + path.text + "\" is repeated, and a path has one value of it")
    }
    guard path.field.hasParameterForm else {
      throw RouteFault(place + "the field \"" + path.text + "\" is a message, and a path has values alone")
    }
    return path
  }

  /// The field of a message that an option of the rule names.
  private static func field(
    _ name: String, _ option: String, of message: MessageDescriptor
  ) throws(RouteFault) -> FieldDescriptor {
    if let path = message.path(named: name), path.fields.count == 1 { return path.field }
    throw RouteFault(option + ": " + message.fullName + " has no field " + name.quoted)
  }

  /// The mask that says which fields of a body there are: the only one of the request, or its `update_mask`.
  private static func mask(beside body: Body, in input: MessageDescriptor) -> FieldDescriptor? {
    guard case .field(let field) = body, field.cardinality != .repeated, field.type == .message,
      field.message?.hasOwnJSONForm == false
    else { return nil }
    let masks = input.fields.filter {
      $0.cardinality != .repeated && $0.message?.fullName == "google.protobuf.FieldMask"
    }
    return masks.count == 1 ? masks.first : masks.first { $0.name == "update_mask" }
  }

  /// Whether a text is a token of RFC 9110 section 5.6.2, or the asterisk that stands for any method.
  private static func isMethod(_ text: String) -> Bool {
    text.utf8.count <= 32
      && text.utf8.allSatisfy { byte in
        if byte.isASCIIDigit || byte.isASCIILetter { return true }
        return switch byte {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
      }
  }
}

/// Why a rule makes no route.
struct RouteFault: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// The fields of a `google.api.HttpBody`.
struct RawBody: Sendable {
  let type: MessageDescriptor
  let contentType: FieldDescriptor
  let data: FieldDescriptor

  /// The fields of a message that is one; nil for any other.
  init?(_ type: MessageDescriptor) {
    guard type.fullName == "google.api.HttpBody", let contentType = type.field(numbered: 1),
      let data = type.field(numbered: 2), contentType.type == .string, data.type == .bytes,
      contentType.cardinality != .repeated, data.cardinality != .repeated
    else { return nil }
    self.type = type
    self.contentType = contentType
    self.data = data
  }
}
