// SPDX-License-Identifier: Apache-2.0

package import BlockingClient
internal import Bytes
package import Fault
internal import Flags
internal import GRPC
internal import Health
internal import Sys

/// The probe's engine for other tools: the same connection, the same calls, the same reasons, without its output.
package struct HealthCheck {
  /// What became of one service.
  package struct Service {
    /// The name; empty for the server as a whole.
    package let name: String
    /// The status's name, such as `SERVING`; nil where the server gave none.
    package let status: String?
    /// Why it is not well; nil where it is.
    package let fault: Fault?
    /// What the probe would say of it.
    package let line: String
  }

  /// What became of the services, in the order in which they were asked for.
  package let services: [Service]
  /// What kept everything from being asked; nil where nothing did.
  package let fault: Fault?
  /// How long each step of the connection took; nil where there was none.
  package let timings: Timings?
  /// How long the last call took, in nanoseconds; nil where there was none.
  package let callTime: Int64?

  /// Why the flags cannot be used, without a full stop.
  package struct Refusal: Error {
    /// What is wrong.
    package let line: String
  }

  /// Checks the health of a server's services once.
  ///
  /// - Parameters:
  ///   - arguments: flags of the probe's, `-addr` among them, and none of TLS.
  ///   - tls: how TLS is spoken; nil for plaintext.
  ///   - authority: what the server is called in requests; nil for what the target says.
  package init(
    arguments: [String], tls: TLSOptions?, authority: String? = nil, environment: @escaping (String) -> String?,
    waiter: Waiter
  ) throws(Refusal) {
    let arguments = arguments + (tls == nil ? [] : ["-tls"])
    var options: ProbeOptions
    let flags: FlagValues
    do throws(FlagError) { flags = try probeFlags.parse(arguments) } catch {
      if case .message(let line) = error { throw Refusal(line: line) }
      throw Refusal(line: "the flags cannot be read")
    }
    do throws(UsageError) { options = try ProbeOptions(flags) } catch { throw Refusal(line: error.words) }
    options.namesFlags = false
    var dial: DialOptions
    do throws(TargetError) { dial = DialOptions(target: try Target(options.address)) } catch {
      throw Refusal(line: error.cause)
    }
    dial.tls = tls
    dial.userAgent = options.fullUserAgent
    dial.failsFast = true
    if !options.ignoresProxy { dial.proxies = ProxyRules(environment: environment) }
    let client = HealthClient(Dialer(dial, waiter: waiter), options, authority: authority ?? dial.target.authority)
    let checks = Checks(client, options, Verbose(options), waiter, .never)
    let outcome = checks.run()
    client.close()
    let outcomes = checks.services.isEmpty ? [(name: options.singleService, outcome: outcome)] : checks.services
    let hasAnswered = client.rpcTime != nil
    services =
      !hasAnswered
      ? []
      : outcomes.map { one in
        Service(
          name: one.name, status: one.outcome.status?.name, fault: one.outcome.fault, line: one.outcome.line)
      }
    fault = hasAnswered ? nil : outcome.fault
    timings = client.lastTimings
    callTime = client.rpcTime
  }
}

extension ProbeOptions {
  /// The one service that is asked for, where it is one.
  fileprivate var singleService: String {
    if case .service(let name) = subject { name } else { "" }
  }
}

extension UsageError {
  /// The line without the word that the probe begins it with.
  fileprivate var words: String {
    let prefix = "error: "
    return line.hasPrefix(prefix) ? String(line.dropFirst(prefix.utf8.count)) : line
  }
}
