// SPDX-License-Identifier: Apache-2.0

/// How many streams a peer may still make us reset. A stream costs us work before it is reset, and a reset one does not
/// count against the limit of open streams: without a budget the limit would bound nothing (CVE-2025-8671).
///
/// There is no clock in it. What a peer wins back it earns with streams that end well, and those cost it as much as us.
struct ResetBudget {
  private let burst: Int
  private var left: Int

  init(burst: Int) {
    self.burst = max(burst, 0)
    left = self.burst
  }

  /// Pays for one reset; false where nothing is left.
  mutating func spend() -> Bool {
    guard left > 0 else { return false }
    left -= 1
    return true
  }

  /// Wins one back for a stream that ended well.
  mutating func earn() { if left < burst { left += 1 } }
}
