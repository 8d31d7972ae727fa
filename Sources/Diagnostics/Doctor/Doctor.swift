// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import DNS
internal import Netlink
internal import Sys
internal import TLS

/// Looks at everything between this place and a target, from the networks here to the health of the service there.
///
/// ```
/// place ─► name ─► route of each address ─► connections that are there ─► TCP to each address
///                                                                          │
///             proxy ◄─ server at each address ◄─ who takes over, who listens here, where packets are lost
/// ```
///
/// The name is looked up while this place is looked at.
///
/// A layer is looked at as far as those before it allow. Nothing takes longer than the deadline over all.
final class Doctor {
  let endpoint: Endpoint
  let options: DoctorOptions
  let environment: (String) -> String?
  let waiter: Waiter
  let deadline: Deadline

  /// TLS without a claim on the certificate, and so without authorities: all that is wrong with it is told beforehand.
  lazy var lenientTLS: TLSOptions? = {
    var configuration = options.tls
    (configuration.verification, configuration.roots, configuration.alpn) = (.none, .none, ["h2"])
    return (try? TLSContext(client: configuration)).map { TLSOptions(context: $0) }
  }()

  private(set) var checks: [Check] = []
  /// The addresses that turned out to be all that is expected of them.
  private var well: Set<String> = []
  var surroundings = Surroundings()
  private(set) var host = HostFacts()
  private(set) var network = NetworkFacts()
  private var routes: NetlinkSocket?

  /// Longer texts of capabilities are for `netdiag net`.
  private static let maxCapabilities = 60
  /// The most addresses of a name that are looked at.
  private static let maxAddresses = 16

  init(
    _ endpoint: Endpoint, _ options: DoctorOptions, environment: @escaping (String) -> String?, waiter: Waiter
  ) {
    (self.endpoint, self.options, self.environment, self.waiter) = (endpoint, options, environment, waiter)
    deadline = Deadline(nanoseconds: options.timeout)
  }

  /// Looks at all of it.
  func run() -> DoctorReport {
    let start = Instant.now
    let addresses = Array(lookUp().prefix(Self.maxAddresses))
    for address in addresses { examineRoute(to: address) }
    nameContainers(addresses)
    // Before there are any of our own.
    examineConnections(to: addresses)
    let open = connect(to: addresses)
    examineListeners(of: addresses)
    if let first = open.first { examineRedirection(of: first) }
    var success = "takes connections"
    if options.expectation == .tcp {
      for address in open { noteWell(address) }
    } else {
      success = examineServers(at: open) ?? success
    }
    examineProxy()
    conclude()
    return DoctorReport(
      endpoint: endpoint, expectation: options.expectation, checks: checks, well: well, surroundings: surroundings,
      success: success, time: Instant.now.nanoseconds(since: start))
  }

  /// Says so where the examination ended before there was anything to judge: nobody is well by default.
  private func conclude() {
    let layer = options.expectation.layer
    let isJudged = !well.isEmpty || checks.contains { $0.mark > .warning }
    if let signal = waiter.termination {
      add(layer, .unknown, "CANCELLED", "\(signal.name) ended the examination")
    } else if deadline.hasPassed {
      add(
        layer, isJudged ? .note : .unknown, isJudged ? "OK" : "UNDETERMINED",
        "the time of \(shownDuration(options.timeout)) ran out: not everything was looked at")
    } else if !isJudged {
      add(layer, .unknown, "UNDETERMINED", "nothing was seen that tells what the target is")
    }
  }

  // MARK: - For the layers

  func add(_ layer: Layer, _ mark: Mark, _ code: String, _ text: String, at address: String? = nil) {
    // What a signal has cut short says nothing of the target.
    checks.append(Check(layer, code == "CANCELLED" ? .unknown : mark, code, text, at: address))
  }

  func add(_ layer: Layer, _ mark: Mark, _ text: String, at address: String? = nil) {
    add(layer, mark, "OK", text, at: address)
  }

  /// Notes that an address is all that is expected, unless something was wrong with it on the way.
  func noteWell(_ address: SocketAddress) {
    let name = address.text
    if !checks.contains(where: { $0.address == name && $0.mark > .warning }) { well.insert(name) }
  }

  /// A part of the time that is left, in nanoseconds, but no more than a limit.
  func share(of parts: Int, atMost limit: Int64) -> Int64 { min(limit, deadline.remaining / Int64(max(1, parts))) }

  /// Looks at this place; called once, while the name is being looked up.
  func examinePlace() {
    host = HostFacts(environment: environment)
    do throws(NetlinkError) {
      var socket = try NetlinkSocket(.route)
      network = NetworkFacts(&socket)
      routes = consume socket
    } catch { network = NetworkFacts(failure: error.text) }
    surroundings.isContainer = !host.container.signs.isEmpty
    surroundings.hasDockerResolver = host.hasDockerResolver
    surroundings.hasDefaultRoute = network.failure != nil || !network.defaultRoutes.isEmpty
    surroundings.hasTrustStore = host.trustStore != nil
    surroundings.isDottedName = endpoint.host.utf8.contains(0x2E)
    add(.environment, .ok, placeText)
    // What is odd here need not matter to this target: it is told, and counts where something fails.
    for warning in NetReport(network: network, host: host).warnings {
      add(.environment, warning.code == "FD_LIMIT" ? .warning : .note, warning.code, warning.text)
    }
    if let failure = network.failure {
      add(.environment, .note, "UNDETERMINED", "the kernel does not tell networks: \(failure)")
    }
  }

  private var placeText: String {
    var words: [String] = []
    if surroundings.isContainer {
      words.append(host.container.runtime.map { "a container (\($0.safeForDisplay))" } ?? "a container")
    }
    let addresses = network.interfaces.filter { $0.isInUse && $0.hasAddress }.map { interface in
      let own = interface.addresses.filter { !$0.address.isLinkLocal }.map { "\($0.address.text)/\($0.prefixLength)" }
      return "\(interface.name) \(own.joined(separator: " "))"
    }
    words += addresses.prefix(4)
    if addresses.count > 4 { words.append("\(addresses.count - 4) more interfaces") }
    if let user = host.rights.userID { words.append("uid \(user)") }
    if let capabilities = host.rights.effective {
      let isLong = capabilities.text.utf8.count > Self.maxCapabilities
      words.append(isLong ? "\(capabilities.names.count) capabilities" : "capabilities: \(capabilities.text)")
    }
    return words.isEmpty ? "nothing is known of it" : words.joined(separator: ", ")
  }

  // MARK: - Routes

  /// Whether an address is this place's own.
  func isOwn(_ address: IPAddress) -> Bool {
    address.isLoopback || network.interfaces.contains { $0.addresses.contains { $0.address == address } }
  }

  private func examineRoute(to address: SocketAddress) {
    guard let (ip, scope) = address.ip, routes != nil else { return }
    let unmapped = ip.unmapped
    if isOwn(unmapped) {
      surroundings.isOwnHost = true
      return add(.route, .ok, "\(unmapped.text) is this place's own", at: address.text)
    }
    let route: Result<RouteRecord, NetlinkError>
    do throws(NetlinkError) {
      guard let found = try routes?.route(to: unmapped, interface: scope) else { return }
      route = .success(found)
    } catch { route = .failure(error) }
    let judged = SameNetwork.judge(unmapped, route: route, in: network)
    if judged.answer != .undetermined { surroundings.isOnLink = judged.answer == .yes }
    if network.defaultRoutes.contains(where: { $0.nextHops.contains { $0.gateway == unmapped } }) {
      surroundings.isOwnHost = surroundings.isContainer
    }
    add(.route, .ok, "\(unmapped.text) \(judged.reason)", at: address.text)
  }

  /// Reads the neighbours anew: trying to connect has asked for them.
  func hasNeighbour(_ address: IPAddress) -> Bool {
    var isThere = false
    try? routes?.neighbours { neighbour in
      if neighbour.address == address, !neighbour.hardwareAddress.isEmpty, neighbour.state != .failed { isThere = true }
    }
    return isThere
  }
}
