// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import GRPC
internal import JSON
public import Protobuf

/// A `google.rpc.Status`: a code, a message, and details of any type. Every failure that a client of the gateway sees
/// has this shape, whoever found it.
public struct RPCStatus: Equatable, Sendable {
  /// A detail: a serialized message of any type.
  public struct Detail: Equatable, Sendable {
    /// The URL of the type, `type.googleapis.com/google.rpc.ErrorInfo`.
    public let typeURL: String
    /// The message.
    public let value: [UInt8]

    /// A detail of the full name of its type.
    public init(_ type: String, _ value: [UInt8]) {
      typeURL = "type.googleapis.com/" + type
      self.value = value
    }

    init(typeURL: String, value: [UInt8]) {
      self.typeURL = typeURL
      self.value = value
    }

    /// The full name of the type.
    var type: String { typeURL.utf8.lastIndex(of: 0x2F).map { String(typeURL[$0...].dropFirst()) } ?? "" }
  }

  /// How many details are kept.
  public static let detailLimit = 100

  /// The code.
  public var code: StatusCode
  /// The message.
  public var message: String
  /// The details.
  public var details: [Detail] = []

  /// A status without details.
  public init(_ code: StatusCode, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The status of a call that failed, with the bytes of its `grpc-status-details-bin` where there is one. What cannot
  /// be read of these is left out: the failure itself is never hidden by another one.
  public init(_ status: Status, details bytes: [UInt8]? = nil) {
    self.init(status.code, status.message)
    var reader = WireReader(bytes ?? [])
    while let field = (try? reader.next()) ?? nil, details.count < Self.detailLimit {
      guard field.number == 3, case .bytes(let any) = field.value, let detail = Self.detail(any) else { continue }
      details.append(detail)
    }
  }

  /// A detail of a serialized `google.protobuf.Any`.
  private static func detail(_ bytes: ArraySlice<UInt8>) -> Detail? {
    var url = ""
    var value: [UInt8] = []
    var reader = WireReader(bytes)
    do throws(WireError) {
      while let field = try reader.next() {
        switch (field.number, field.value) {
        case (1, _): url = try field.value.string() ?? url
        case (2, .bytes(let bytes)): value = Array(bytes)
        default: break
        }
      }
    } catch { return nil }
    return Detail(typeURL: url, value: value)
  }

  /// Adds a `google.rpc.RequestInfo` of the id by which the request is found in logs, unless there is one.
  public mutating func add(requestID: String) {
    guard !requestID.isEmpty, !details.contains(where: { $0.type == "google.rpc.RequestInfo" }) else { return }
    var info = WireWriter()
    info.string(requestID, field: 1)
    details.append(Detail("google.rpc.RequestInfo", info.bytes))
  }

  /// The status of an HTTP response.
  public var httpStatus: Int { HTTPMapping.httpStatus(code) }

  /// Appends `{"code":5,"message":"…","details":[…]}`, always with these three. A detail whose type one of the pools
  /// knows is that type's object with `@type`; any other one has its bytes in base64 under `value`.
  public func writeJSON(
    into json: inout [UInt8], pools: [DescriptorPool] = [], options: JSONWritingOptions = JSONWritingOptions()
  ) {
    var options = options
    options.isIndented = false
    var writer = JSONWriter(appendingTo: json)
    writer.beginObject()
    writer.key("code")
    writer.integer(Int64(code.rawValue))
    writer.key("message")
    writer.string(message)
    writer.key("details")
    writer.beginArray()
    for detail in details { writer.raw(Self.form(detail, pools, options)[...]) }
    writer.endArray()
    writer.endObject()
    json = writer.finish()
  }

  private static func form(_ detail: Detail, _ pools: [DescriptorPool], _ options: JSONWritingOptions) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("@type")
    writer.string(detail.typeURL)
    if let (content, isValue) = content(detail, pools, options) {
      guard isValue else {
        // Its members stand beside the type.
        let members = content.dropFirst().dropLast()
        return writer.bytes + (members.isEmpty ? [] : [0x2C]) + members + [0x7D]
      }
      writer.key("value")
      writer.raw(content[...])
    } else {
      writer.key("value")
      writer.string(Base64.encode(detail.value.span, padded: true))
    }
    writer.endObject()
    return writer.finish()
  }

  /// The form of a detail's message, and whether it is one of the message's own and no object of its fields; nil where
  /// no pool knows the type, or the message has no form.
  private static func content(
    _ detail: Detail, _ pools: [DescriptorPool], _ options: JSONWritingOptions
  ) -> (json: [UInt8], isValue: Bool)? {
    for pool in pools {
      guard let type = pool.message(named: detail.type) else { continue }
      var json: [UInt8] = []
      guard let message = try? DynamicMessage(decoding: detail.value, as: type),
        (try? message.writeJSON(into: &json, options: options)) != nil
      else { continue }
      return (json, type.hasOwnJSONForm)
    }
    return nil
  }
}
