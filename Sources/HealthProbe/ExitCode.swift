// SPDX-License-Identifier: Apache-2.0

/// The probe's exit codes.
enum ExitCode: Int32 {
  /// Everything that was asked for is SERVING.
  case healthy = 0
  /// The command line, the environment or a file that they name cannot be used.
  case usage = 1
  /// No connection came about.
  case connectionFailed = 2
  /// The call failed.
  case callFailed = 3
  /// The call succeeded and said something else than SERVING.
  case unhealthy = 4
  /// No SPIFFE credentials could be had.
  case spiffe = 20

  /// Of several outcomes, the one that the process ends with.
  var severity: Int {
    switch self {
    case .healthy: 0
    case .unhealthy: 1
    case .callFailed: 2
    case .connectionFailed: 3
    case .spiffe: 4
    case .usage: 5
    }
  }
}
