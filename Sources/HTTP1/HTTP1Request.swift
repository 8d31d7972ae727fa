// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// HTTP1: requests, and the responses to them, as RFC 9112 has them; bytes in, events out.

/// A field of a header or trailer section.
public struct HTTP1Field: Equatable, Sendable {
  /// The name, in whatever case it was given; names are equal in any case.
  public var name: String
  /// The value without white space at its ends. What a peer sent may be any bytes but control characters; those that
  /// are no UTF-8 are kept as `String(systemBytes:)` keeps them.
  public var value: String

  /// A field of a name and a value.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension [HTTP1Field] {
  /// The value of the first field of a name in any case; nil where there is none.
  public func first(_ name: String) -> String? { first { $0.name.equalsIgnoringASCIICase(name) }?.value }
}

/// A request of HTTP/1.1.
public struct HTTP1Request: Equatable, Sendable {
  /// The request as it goes onto the wire.
  public let encoded: [UInt8]

  /// A request of a method and a target with these fields, in their order; `Host` is the caller's to give. A body's
  /// `Content-Length` is added, and none without a body.
  ///
  /// Throws where a part could be taken for another: nothing that a user gives ends a line.
  public init(
    method: String = "GET", target: String, fields: [HTTP1Field], body: [UInt8]? = nil
  ) throws(HTTP1RequestError) {
    guard isToken(method.utf8) else { throw .badMethod(method) }
    guard !target.isEmpty, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .badTarget(target) }
    var bytes = Array(method.utf8) + [0x20] + Array(target.utf8) + Array(" HTTP/1.1\r\n".utf8)
    for field in fields {
      guard isToken(field.name.utf8) else { throw .badFieldName(field.name) }
      let value = field.value.systemBytes
      guard value.allSatisfy(isFieldByte) else { throw .badFieldValue(field.name) }
      bytes += Array(field.name.utf8) + [0x3A, 0x20] + value + [0x0D, 0x0A]
    }
    if let body { bytes += Array("Content-Length: \(body.count)\r\n".utf8) }
    encoded = bytes + [0x0D, 0x0A] + (body ?? [])
  }
}

/// Why there can be no such request.
public enum HTTP1RequestError: Error, Equatable, Sendable {
  /// The method is no token of RFC 9110 section 5.6.2.
  case badMethod(String)
  /// The target is empty, or holds a space, a control character or what is not ASCII: it has to be percent-encoded.
  case badTarget(String)
  /// The field's name is no token.
  case badFieldName(String)
  /// The value of the field of this name holds a control character, such as a line's end.
  case badFieldValue(String)

  /// The reason in a few words, safe to print.
  public var message: String {
    switch self {
    case .badMethod(let method): "\(Self.shown(method)) is no method"
    case .badTarget(let target): "\(Self.shown(target)) is no target: spaces and the like have to be percent-encoded"
    case .badFieldName(let name): "\(Self.shown(name)) is no field's name"
    case .badFieldValue(let name): "the value of \(Self.shown(name)) holds a control character"
    }
  }

  private static func shown(_ text: String) -> String { text.shortened(toUTF8Count: 80).quoted }
}

/// Whether the bytes are a token (RFC 9110 section 5.6.2): a method or a field's name.
func isToken(_ bytes: some Collection<UInt8>) -> Bool {
  !bytes.isEmpty
    && bytes.allSatisfy { byte in
      if byte.isASCIIDigit || byte.isASCIILetter { return true }
      return switch byte {
      case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true  // !#$%&'*+-.^_`|~
      default: false
      }
    }
}

/// Whether a byte can stand in a field's value: all but control characters, and the tab (RFC 9110 section 5.5).
func isFieldByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }
