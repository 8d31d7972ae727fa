// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Diagnostics

@Suite struct LatencyHistogramTests {
  @Test("an empty histogram has nothing")
  func empty() {
    let histogram = LatencyHistogram()
    #expect(histogram.count == 0)
    #expect(histogram.quantile(perMille: 500) == 0)
    #expect(histogram.mean == 0)
    #expect(histogram.count(above: -1, through: .max) == 0)
  }

  @Test("a single time is every quantile", arguments: [0, 1, 127, 128, 255, 256, 257, 1_000_003, 1 << 40, .max])
  func single(time: Int64) {
    var histogram = LatencyHistogram()
    histogram.record(time)
    for share in [0, 1, 500, 999, 1_000] as [UInt64] { #expect(histogram.quantile(perMille: share) == time) }
    #expect(histogram.shortest == time)
    #expect(histogram.longest == time)
    #expect(histogram.count(above: -1, through: .max) == 1)
    #expect(histogram.count(above: time, through: .max) == 0)
  }

  @Test("quantiles of random times are within 1/128 of the sorted ones")
  func random() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      var histogram = LatencyHistogram()
      let bound = Int64(1) << Int64.random(in: 1...50, using: &generator)
      let times = (0..<997).map { _ in Int64.random(in: 0..<bound, using: &generator) }
      for time in times { histogram.record(time) }
      let sorted = times.sorted()
      for share in [1, 10, 500, 900, 990, 999, 1_000] as [UInt64] {
        let exact = sorted[max(0, Int((UInt64(sorted.count) * share + 999) / 1_000) - 1)]
        let told = histogram.quantile(perMille: share)
        #expect(told >= exact && told - exact <= exact / 128 + 1, "\(share): \(told) for \(exact)")
      }
      #expect(histogram.count == UInt64(times.count))
      let middle = sorted[500]
      let parts = histogram.count(above: -1, through: middle) + histogram.count(above: middle, through: .max)
      #expect(parts == histogram.count)
    }
  }

  @Test("a time below zero counts as zero")
  func negative() {
    var histogram = LatencyHistogram()
    histogram.record(-5)
    #expect(histogram.longest == 0)
    #expect(histogram.count == 1)
  }
}
