// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// The library underneath.
public enum HTTP2Library {
  /// nghttp2's version, such as `1.52.0`.
  public static var version: String {
    guard let information = unsafe nghttp2_version(0) else { return "unknown" }
    return unsafe String(cString: information.pointee.version_str)
  }
}
