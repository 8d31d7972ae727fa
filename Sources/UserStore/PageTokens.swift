// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Crypto

/// The tokens that name the place where a page begins.
///
/// A token is the last user of the page before, under an HMAC that also covers the filter: nobody makes one, changes
/// one or uses one with another filter. It holds nothing that its bearer has not just been shown. Its layout, in base64
/// of the URL-safe alphabet, which 33 bytes fill without padding:
///
///     version (1) | user id (16) | HMAC-SHA-256 (first 16 bytes)
struct PageTokens: Sendable {
  private let key: [UInt8]

  private static let version: UInt8 = 1
  private static let bodySize = 17
  private static let codeSize = 16
  /// 33 bytes in base64.
  private static let textLength = 44

  init(key: [UInt8]) { self.key = key }

  /// The token of the page behind a user.
  func token(after user: UserID, filter: String) throws(CryptoError) -> String {
    let body = [Self.version] + user.bytes
    let token = body + (try code(of: body, filter: filter))
    return Base64.encode(token.span, padded: false, alphabet: .urlSafe)
  }

  /// The user that a token names; nil where it was not made here for this filter.
  func user(of token: String, filter: String) throws(CryptoError) -> UserID? {
    guard token.utf8.count == Self.textLength,
      let bytes = Base64.decode(token.utf8, alphabet: .urlSafe), bytes.count == Self.bodySize + Self.codeSize,
      bytes.first == Self.version
    else { return nil }
    let body = Array(bytes.prefix(Self.bodySize))
    let given = Array(bytes.suffix(Self.codeSize))
    let own = try code(of: body, filter: filter)
    guard constantTimeEquals(given.span, own.span) else { return nil }
    return UserID(bytes: body.dropFirst())
  }

  private func code(of body: [UInt8], filter: String) throws(CryptoError) -> [UInt8] {
    // The body's length is fixed, so nothing of the filter can pass for a part of it.
    let message = body + Array(filter.utf8)
    return Array(try HMACSHA256.code(for: message.span, key: key.span).prefix(Self.codeSize))
  }
}
