// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The repository that the tests were built from.
public enum Repository {
  /// Its folder, found from this file's own place in it.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
