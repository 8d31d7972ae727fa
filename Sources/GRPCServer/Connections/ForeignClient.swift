// SPDX-License-Identifier: Apache-2.0

/// What a client is told that speaks something else than HTTP/2.
enum ForeignClient {
  /// The answer to its first bytes: an HTTP/1.1 response for a client of that, nothing for others.
  static func answer(to firstBytes: [UInt8]) -> [UInt8] {
    guard looksLikeHTTP1(firstBytes) else { return [] }
    let text =
      "This port speaks gRPC over HTTP/2 without an upgrade. Use a gRPC client, or HTTP/2 by prior knowledge.\n"
    return Array(
      """
      HTTP/1.1 505 HTTP Version Not Supported\r
      Content-Type: text/plain; charset=utf-8\r
      Content-Length: \(text.utf8.count)\r
      Connection: close\r
      \r
      \(text)
      """.utf8)
  }

  /// Whether the bytes begin with a method in capitals and a space.
  private static func looksLikeHTTP1(_ bytes: [UInt8]) -> Bool {
    guard let space = bytes.prefix(16).firstIndex(of: 0x20), space > 0 else { return false }
    return bytes[..<space].allSatisfy { 0x41...0x5A ~= $0 }
  }
}
