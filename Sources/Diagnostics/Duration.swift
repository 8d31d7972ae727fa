// SPDX-License-Identifier: Apache-2.0

internal import Flags

/// A time in nanoseconds as people read it, to three digits or so.
func shownDuration(_ nanoseconds: Int64) -> String {
  let step: Int64 = nanoseconds < 1_000_000 ? 1_000 : nanoseconds < 1_000_000_000 ? 10_000 : 1_000_000
  return GoDuration.format(nanoseconds / step * step)
}
