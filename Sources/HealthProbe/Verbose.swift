// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import Sys

/// What `-v` tells on standard error. Its shape is known to scripts; values that may be secret are not shown.
struct Verbose {
  private let isOn: Bool

  init(_ options: ProbeOptions) { isOn = options.isVerbose }

  /// Tells a line.
  func tell(_ line: @autoclosure () -> String) {
    if isOn { StandardStream.error.write(line() + "\n") }
  }

  /// Tells the options.
  func tell(_ options: ProbeOptions) {
    guard isOn else { return }
    var text = "parsed options:\n"
    let connect = GoDuration.format(options.connectTimeout)
    let rpc = GoDuration.format(options.rpcTimeout)
    text += "> addr=\(options.address.safeForDisplay) conn_timeout=\(connect) rpc_timeout=\(rpc)\n"
    if !options.headers.isEmpty { text += "> headers: {map[\(Self.headers(options))]}\n" }
    let usesTLS = options.security == .tls || options.isMixingTLS
    text += "> tls=\(usesTLS)\n"
    if usesTLS {
      // The first of these lines ends in a space, and always has.
      text += "  > no-verify=\(options.skipsVerification) \n"
      text += "  > ca-cert=\(options.caFile.safeForDisplay)\n"
      text += "  > client-cert=\(options.certificateFile.safeForDisplay)\n"
      text += "  > client-key=\(options.keyFile.isEmpty ? "" : "(set)")\n"
      text += "  > server-name=\(options.serverName.safeForDisplay)\n"
    }
    text += "> alts=false\n> spiffe=\(options.security == .spiffe)\n"
    StandardStream.error.write(text)
  }

  /// Headers as Go prints a map of lists: names sorted, values in their order.
  private static func headers(_ options: ProbeOptions) -> String {
    var counts: [String: Int] = [:]
    for header in options.headers { counts[header.name, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { name, count in
      "\(name.safeForDisplay):[\(Array(repeating: "[redacted]", count: count).joined(separator: " "))]"
    }.joined(separator: " ")
  }
}
