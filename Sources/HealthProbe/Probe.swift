// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import Health
internal import Sys

/// One run of the probe, from its command line to its exit code.
///
/// ```
/// flags ──► options ──► credentials ──► connection ──► check ──► report
///   1          1           1, 20            2            3, 4      0
/// ```
public final class Probe {
  private let options: ProbeOptions
  private let environment: (String) -> String?
  private let verbose: Verbose
  private let start = Instant.now
  private var waiter: Waiter?

  /// Runs the probe and gives its exit code.
  public static func run(arguments: [String], environment: @escaping (String) -> String?) -> Int32 {
    StandardStream.prepare()
    let flags: FlagValues
    do throws(FlagError) {
      flags = try probeFlags.parse(arguments, environment: environment) { name, value in
        name == "rpc-header" && splitHeader(value) == nil
          ? "invalid RPC header, expected 'key: value', got \(value.quoted)" : nil
      }
    } catch {
      if case .message(let line) = error { StandardStream.error.write(line + "\n") }
      StandardStream.error.write(probeFlags.help)
      return ExitCode.usage.rawValue
    }
    if flags.bool("version") {
      StandardStream.output.write(versionText())
      return ExitCode.healthy.rawValue
    }
    do throws(UsageError) { return Probe(try ProbeOptions(flags), environment).run() } catch {
      StandardStream.error.write(error.line + "\n")
      return ExitCode.usage.rawValue
    }
  }

  private init(_ options: ProbeOptions, _ environment: @escaping (String) -> String?) {
    self.options = options
    self.environment = environment
    verbose = Verbose(options)
  }

  private func run() -> Int32 {
    verbose.tell(options)
    if options.isMixingTLS { return finish(.failure(.usage, "-tls and -spiffe are mutually incompatible")) }
    do throws(Early) {
      let waiter: Waiter
      do throws(Fault) { waiter = try Waiter() } catch {
        throw Early(.failure(.connectionFailed, connectFailure(error), error))
      }
      self.waiter = waiter
      let client = try makeClient(waiter)
      if options.isWatching { return Watch(client, options, verbose, waiter, deadline).run() }
      let checks = Checks(client, options, verbose, waiter, deadline)
      let outcome = checks.run()
      let code = finish(outcome, checks.services, client)
      client.close()
      return code
    } catch { return finish(error.outcome) }
  }

  /// When everything ends.
  private var deadline: Deadline { options.timeout.map { Deadline(nanoseconds: $0, after: start) } ?? .never }

  private func makeClient(_ waiter: Waiter) throws(Early) -> HealthClient {
    let log = TransportLog(environment: environment) { StandardStream.error.write($0) }
    // Certificate files are looked at before the target is, as ever: a wrong target is the connection's fault.
    let target = Result { () throws(TargetError) in try Target(options.address) }
    let hostName = (try? target.get())?.hostName ?? options.address
    var tls: TLSOptions?
    switch options.security {
    case .plaintext: break
    case .tls:
      do throws(UsageError) {
        tls = try Credentials.tls(options, hostName: hostName, environment: environment)
      } catch { throw Early(.failure(.usage, error.line)) }
    case .spiffe: tls = try spiffe(waiter, log)
    }
    var dial: DialOptions
    do throws(TargetError) { dial = DialOptions(target: try target.get()) } catch {
      let fault = Fault(.badTarget, "", detail: error.cause, hint: error.hint)
      let line = "error: failed to connect service at \(options.address.quoted): \(error.cause)"
      throw Early(.failure(.connectionFailed, line, fault))
    }
    dial.tls = tls
    dial.userAgent = options.fullUserAgent
    dial.failsFast = options.failsFast
    if !options.ignoresProxy { dial.proxies = ProxyRules(environment: environment) }
    let authority =
      !options.authority.isEmpty
      ? options.authority : !options.serverName.isEmpty ? options.serverName : dial.target.authority
    return HealthClient(Dialer(dial, waiter: waiter, log: log), options, authority: authority)
  }

  private func spiffe(_ waiter: Waiter, _ log: TransportLog) throws(Early) -> TLSOptions {
    let limit = Deadline(nanoseconds: options.rpcTimeout).earlier(deadline)
    let identity: Spiffe
    do throws(Spiffe.Failure) {
      identity = try Spiffe.fetch(
        environment: environment, userAgent: options.fullUserAgent, waiter: waiter, log: log, until: limit)
    } catch {
      let fault =
        error.fault ?? Fault(.noIdentity, "the workload API", hint: "set \(Spiffe.socketVariable) to its socket")
      throw Early(.failure(.spiffe, "failed to initialize tls credentials with spiffe. error=" + error.text, fault))
    }
    verbose.tell("SPIFFE Verifiable Identity Document (SVID): \(identity.id.quoted)")
    do throws(UsageError) {
      return try Credentials.make(identity.configuration, options, environment: environment)
    } catch { throw Early(.failure(.spiffe, error.line)) }
  }

  private func connectFailure(_ fault: Fault) -> String {
    "error: failed to connect service at \(options.address.quoted): \(fault.summary)"
  }

  /// Writes the report; what it takes to close the connection properly comes after it.
  private func finish(
    _ outcome: Outcome, _ services: [(name: String, outcome: Outcome)] = [], _ client: HealthClient? = nil
  ) -> Int32 {
    if let signal = waiter?.termination {
      StandardStream.error.write("cancellation received (signal: \(signal.name))\n")
    }
    var report = Report(options: options, outcome: outcome)
    report.services = services
    report.timings = client?.connection?.timings ?? client?.lastTimings ?? report.timings
    report.rpcTime = client?.rpcTime
    report.totalTime = Instant.now.nanoseconds(since: start)
    report.write()
    return report.exitCode
  }
}

/// An outcome that ends the run before its checks.
private struct Early: Error {
  let outcome: Outcome

  init(_ outcome: Outcome) { self.outcome = outcome }
}
