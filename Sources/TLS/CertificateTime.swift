// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Times as certificates carry them (RFC 5280 section 4.1.2.5), read into seconds since 1970 and written as ISO 8601.
enum CertificateTime {
  /// The seconds since 1970 of a `UTCTime` (`YYMMDDHHMMSSZ`) or a `GeneralizedTime` (`YYYYMMDDHHMMSSZ`).
  static func seconds(of element: DERElement, in bytes: [UInt8]) -> Int64? {
    var text = bytes[element.content]
    let year: Int
    switch element.tag {
    case DERReader.Tag.utcTime:
      guard text.count == 13, let short = digits(&text, 2) else { return nil }
      year = short < 50 ? 2000 + short : 1900 + short
    case DERReader.Tag.generalizedTime:
      guard text.count == 15, let full = digits(&text, 4) else { return nil }
      year = full
    default: return nil
    }
    guard let month = digits(&text, 2), let day = digits(&text, 2), let hour = digits(&text, 2),
      let minute = digits(&text, 2), let second = digits(&text, 2), text.first == 0x5A,
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    let clock = Int64(hour * 3600 + minute * 60 + second)
    let date = CivilDate(year: Int64(year), month: Int64(month), day: Int64(day))
    return date.daysSince1970 * 86_400 + clock
  }

  /// The time as `2026-05-04T03:02:01Z`; years beyond 9999 cannot come out of a certificate.
  static func text(_ seconds: Int64) -> String { CivilTime(seconds).isoText }

  private static func digits(_ text: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
    guard text.count >= count else { return nil }
    var value = 0
    for byte in text.prefix(count) {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    text = text.dropFirst(count)
    return value
  }
}
