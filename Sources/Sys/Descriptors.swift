// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// How many descriptors a process has open, and may have.
public struct Descriptors: Equatable, Sendable {
  /// How many are open; nil where that may not be seen.
  public let used: Int?
  /// How many may be; nil where that may not be seen, the largest number where there is no limit.
  public let soft: UInt64?
  /// How far the process may raise that limit itself.
  public let hard: UInt64?

  /// Numbers that were found elsewhere.
  public init(used: Int?, soft: UInt64?, hard: UInt64?) { (self.used, self.soft, self.hard) = (used, soft, hard) }

  /// Those of this process.
  public static var own: Descriptors {
    var (soft, hard): (UInt64, UInt64) = (0, 0)
    let isKnown = unsafe sonde_descriptor_limits(&soft, &hard) == 0
    // The directory that is being read is one of its own entries.
    let used = count("/proc/self/fd").map { max(0, $0 - 1) }
    return Descriptors(used: used, soft: isKnown ? soft : nil, hard: isKnown ? hard : nil)
  }

  /// Those of another process, which its user and the superuser may see.
  public init(of processID: Int32) {
    let limits = (try? Files.read("/proc/\(processID)/limits", limit: 64 << 10)).flatMap { Self.limits($0) }
    self.init(used: Self.count("/proc/\(processID)/fd"), soft: limits?.soft, hard: limits?.hard)
  }

  private static func count(_ path: String) -> Int? {
    guard let directory = Directory(path) else { return nil }
    var count = 0
    directory.forEach { _ in
      count += 1
      return true
    }
    return count
  }

  /// Reads the line of a `limits` file:
  ///
  ///     Limit                     Soft Limit           Hard Limit           Units
  ///     Max open files            1024                 524288               files
  static func limits(_ text: [UInt8]) -> (soft: UInt64, hard: UInt64)? {
    let name = Array("Max open files".utf8)
    guard let line = text.split(separator: 0x0A).first(where: { $0.starts(with: name) }) else { return nil }
    let numbers = line.dropFirst(name.count).split(separator: 0x20).prefix(2).map { word -> UInt64? in
      word.elementsEqual("unlimited".utf8) ? .max : parseDecimal(word).map { UInt64($0) }
    }
    guard numbers.count == 2, let soft = numbers[0], let hard = numbers[1] else { return nil }
    return (soft, hard)
  }
}
