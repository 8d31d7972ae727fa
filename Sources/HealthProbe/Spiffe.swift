// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import Protobuf
internal import Sys
internal import TLS

/// An X.509-SVID and the trust bundles that come with it, from the SPIFFE Workload API (the SPIFFE standards' document
/// of that name, section 5.2).
struct Spiffe {
  /// The environment variable that names the API's socket.
  static let socketVariable = "SPIFFE_ENDPOINT_SOCKET"

  private static let method = "/SpiffeWorkloadAPI/FetchX509SVID"
  /// The pause between attempts, in nanoseconds: an agent that has not attested us yet says no at once.
  private static let pause: Int64 = 100_000_000

  /// The identity's own name, such as `spiffe://example.org/probe`.
  let id: String
  /// What the identity makes of a client.
  let configuration: TLSClientConfiguration

  /// Why there is no identity: the words after `error=`, and the fault where it is more than a wrong variable.
  struct Failure: Error {
    let text: String
    let fault: Fault?
  }

  /// Asks the API, again and again until the deadline: an agent that starts, or has not seen this workload yet, is
  /// normal.
  static func fetch(
    environment: (String) -> String?, userAgent: String, waiter: Waiter, log: TransportLog?, until deadline: Deadline
  ) throws(Failure) -> Spiffe {
    let target = try target(environment(socketVariable) ?? "")
    var options = DialOptions(target: target)
    options.userAgent = userAgent
    let dialer = Dialer(options, waiter: waiter, log: log)
    var last: Fault?
    while true {
      do throws(Fault) { return try ask(dialer, userAgent, until: deadline) } catch {
        if error.code == .cancelled { throw Failure(text: "context canceled", fault: error) }
        // A deadline that cuts off a later attempt says less than what the earlier ones found.
        if error.code != .callTimeout || last == nil { last = error }
      }
      let wake = Deadline(nanoseconds: pause).earlier(deadline)
      do throws(Fault) { try waiter.sleep(until: wake) } catch { throw Failure(text: "context canceled", fault: error) }
      if deadline.hasPassed { throw Failure(text: "context deadline exceeded", fault: last) }
    }
  }

  private static func ask(_ dialer: Dialer, _ userAgent: String, until deadline: Deadline) throws(Fault) -> Spiffe {
    let connection: Connection
    do throws(DialError) { connection = try dialer.dial(until: deadline) } catch {
      if error.fault.code == .cancelled { throw error.fault }
      throw Fault(.noIdentity, "the workload API", detail: error.fault.summary)
    }
    defer { connection.close() }
    var metadata = Metadata()
    do throws(MetadataError) { try metadata.append("workload.spiffe.io", "true") } catch {
      throw Fault(.noIdentity, "the workload API", detail: error.message)
    }
    let request = ClientRequest(
      path: method, authority: "localhost", isSecure: false, userAgent: userAgent, metadata: metadata)
    let call = try connection.start(request, kind: .serverStreaming)
    try call.send([], isLast: true, until: deadline)
    while let event = try call.nextEvent(until: deadline) {
      switch event {
      case .headers: break
      case .message(let bytes):
        call.cancel()
        return try Spiffe(decoding: bytes)
      case .ended(let end):
        let message = end.status.message
        throw Fault(
          .noIdentity, "the workload API",
          detail: end.status.code.constantName + (message.isEmpty ? "" : ": " + message))
      }
    }
    throw Fault(.noIdentity, "the workload API", detail: "the stream ended without an identity")
  }

  // MARK: - The socket's name

  private static func target(_ text: String) throws(Failure) -> Target {
    func failure(_ text: String) -> Failure { Failure(text: text, fault: nil) }
    guard !text.isEmpty else { throw failure("workload endpoint socket address is not configured") }
    if let path = text.after("unix://") ?? text.after("unix:") {
      guard path.utf8.first == 0x2F, let target = try? Target("unix:" + path) else {
        throw failure("workload endpoint unix socket URI must be an absolute path: \(text.safeForDisplay)")
      }
      return target
    }
    if let address = text.after("tcp://") {
      let target = try? Target(address)
      guard case .host(let host, _) = target?.endpoint, SocketAddress.isIPLiteral(host), let target else {
        throw failure("workload endpoint tcp socket URI host component must be an IP:port")
      }
      return target
    }
    throw failure("workload endpoint socket URI must have a \"tcp\" or \"unix\" scheme")
  }

  // MARK: - The answer

  /// Decodes `X509SVIDResponse`: the first identity is the default one; its bundle and those of federated trust domains
  /// say whom to believe.
  init(decoding bytes: [UInt8]) throws(Fault) {
    var first: (id: String, chain: [UInt8], key: [UInt8], bundle: [UInt8])?
    var bundles: [SPIFFEBundle] = []
    do throws(WireError) {
      var reader = WireReader(bytes)
      while let field = try reader.next() {
        guard case .bytes(let content) = field.value else { continue }
        if field.number == 1, first == nil { first = try Self.identity(content) }
        if field.number == 3, let bundle = try Self.federated(content) { bundles.append(bundle) }
      }
    } catch { throw Fault(.noIdentity, "the workload API", detail: "its answer cannot be decoded") }
    guard let first, let domain = Self.trustDomain(first.id) else {
      throw Fault(.noIdentity, "the workload API", detail: "its answer holds no identity")
    }
    bundles.insert(SPIFFEBundle(trustDomain: domain, certificates: first.bundle), at: 0)
    var configuration = TLSClientConfiguration(verification: .spiffe(bundles))
    do throws(TLSConfigurationError) {
      configuration.identity = try TLSIdentity(certificateChainDER: first.chain, privateKeyDER: first.key)
    } catch { throw Fault(.noIdentity, "the workload API", detail: "its certificate or key cannot be used") }
    id = first.id
    self.configuration = configuration
  }

  private static func identity(_ bytes: ArraySlice<UInt8>) throws(WireError)
    -> (id: String, chain: [UInt8], key: [UInt8], bundle: [UInt8])
  {
    var identity = (id: "", chain: [UInt8](), key: [UInt8](), bundle: [UInt8]())
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      guard case .bytes(let content) = field.value else { continue }
      switch field.number {
      case 1: identity.id = try field.value.string() ?? ""
      case 2: identity.chain = Array(content)
      case 3: identity.key = Array(content)
      case 4: identity.bundle = Array(content)
      default: break
      }
    }
    return identity
  }

  private static func federated(_ entry: ArraySlice<UInt8>) throws(WireError) -> SPIFFEBundle? {
    var name = ""
    var certificates: [UInt8] = []
    var reader = WireReader(entry)
    while let field = try reader.next() {
      if field.number == 1 { name = try field.value.string() ?? "" }
      if field.number == 2, case .bytes(let content) = field.value { certificates = Array(content) }
    }
    guard let domain = trustDomain(name) else { return nil }
    return SPIFFEBundle(trustDomain: domain, certificates: certificates)
  }

  /// The trust domain of a SPIFFE ID, or of a trust domain's own name with or without the scheme.
  private static func trustDomain(_ id: String) -> String? {
    let domain = (id.after("spiffe://") ?? id).split(onASCII: 0x2F)[0]
    return domain.isEmpty ? nil : domain
  }
}
