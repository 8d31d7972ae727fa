// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys

/// The network namespace that a command looks at.
struct NetworkPlace {
  /// The folder of the kernel's tables. Not /proc/net: of a /proc that shows processes alone, only this remains.
  let tables: String
  /// Why the namespace could not be entered, so that its tables are all there is; nil where this process is in it.
  let refusal: String?

  /// The namespace that this process is in.
  static let own = NetworkPlace(tables: "/proc/self/net", refusal: nil)

  /// Why a namespace is of no use.
  struct Refusal: Error {
    let reason: String
  }

  /// Enters a namespace; the process must not have started a thread yet. Where that is not allowed and tables are
  /// enough, the tables of the process in it, which everybody may read.
  static func entering(_ namespace: NetworkNamespace, readsTables: Bool) throws(Refusal) -> NetworkPlace {
    do throws(SystemError) {
      try namespace.enter()
      return .own
    } catch {
      let reason = reason(namespace, error)
      guard readsTables, case .process(let id) = namespace, Files.exists("/proc/\(id)/net/tcp") else {
        throw Refusal(reason: reason)
      }
      return NetworkPlace(tables: "/proc/\(id)/net", refusal: reason)
    }
  }

  private static func reason(_ namespace: NetworkNamespace, _ error: SystemError) -> String {
    let isForbidden = error.errno == Errno.permissionDenied || error.errno == Errno.notPermitted
    switch (namespace, error.operation) {
    case (.process(let id), "open") where error.errno == Errno.noSuchFile: return "there is no process \(id)"
    case (.process(let id), "open") where isForbidden:
      return
        "the network namespace of process \(id) may not be entered: it takes CAP_SYS_PTRACE to look into a process "
        + "of another user or with more rights, and CAP_SYS_ADMIN to enter"
    case (.named(let name), "open") where error.errno == Errno.noSuchFile:
      return "there is no network namespace \(name.quoted) in /run/netns"
    case (_, "setns") where isForbidden:
      return "the network namespace \(namespace.path.quoted) may not be entered: it takes CAP_SYS_ADMIN"
    case (_, "setns") where error.errno == Errno.invalidArgument:
      return "\(namespace.path.quoted) is no network namespace"
    default:
      return "the network namespace \(namespace.path.quoted) cannot be entered: \(error.operation): \(error.text)"
    }
  }
}
