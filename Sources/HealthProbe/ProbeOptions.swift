// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Flags
internal import Sys

/// What ends the probe before it does anything: a line, as it stands, and exit code 1.
struct UsageError: Error, Equatable {
  let line: String
}

/// What is asked for.
enum Subject: Equatable {
  /// One service; the empty name is the server as a whole.
  case service(String)
  /// Several services, in the order given.
  case services([String])
  /// Every service that the server lists.
  case all
  /// Nothing: the connection itself is what counts.
  case connection
}

/// Where TLS credentials come from.
enum Security: Equatable {
  /// No TLS.
  case plaintext
  /// TLS as the flags say.
  case tls
  /// Mutual TLS with an identity from the SPIFFE Workload API.
  case spiffe
}

/// The flags, checked.
struct ProbeOptions {
  let address: String
  let subject: Subject
  let userAgent: String
  let connectTimeout: Int64
  let rpcTimeout: Int64
  /// Nanoseconds for everything; nil without a bound.
  let timeout: Int64?
  /// Nanoseconds to wait for SERVING; nil for one check.
  let wait: Int64?
  let isWatching: Bool
  let headers: [(name: String, value: String)]
  let security: Security
  let skipsVerification: Bool
  let caFile: String
  let certificateFile: String
  let keyFile: String
  let serverName: String
  let minimumDays: Int
  let authority: String
  let usesGzip: Bool
  let isVerbose: Bool
  let writesJSON: Bool
  /// Whether what to do about a failure may be told by the probe's flags: not where another tool runs its engine.
  var namesFlags = true
  let usesDockerCodes: Bool
  let failsFast: Bool
  let ignoresProxy: Bool

  /// Checks the flags in the order that scripts know; the first mistake is reported.
  init(_ flags: FlagValues) throws(UsageError) {
    func require(_ condition: Bool, _ line: @autoclosure () -> String) throws(UsageError) {
      guard condition else { throw UsageError(line: "error: " + line()) }
    }
    address = flags.string("addr")
    connectTimeout = flags.duration("connect-timeout")
    rpcTimeout = flags.duration("rpc-timeout")
    let usesTLS = flags.bool("tls")
    let usesSPIFFE = flags.bool("spiffe")
    skipsVerification = flags.bool("tls-no-verify")
    caFile = flags.string("tls-ca-cert")
    certificateFile = flags.string("tls-client-cert")
    keyFile = flags.string("tls-client-key")
    serverName = flags.string("tls-server-name")

    try require(!address.isEmpty, "-addr not specified")
    for (name, value) in [("connect-timeout", connectTimeout), ("rpc-timeout", rpcTimeout)] {
      try require(value > 0, "-\(name) must be greater than zero (specified: \(GoDuration.format(value)))")
    }
    try require(!(flags.bool("alts") && usesSPIFFE), "-alts and -spiffe are mutually incompatible")
    try require(!(usesTLS && flags.bool("alts")), "cannot specify -tls with -alts")
    try require(usesTLS || !skipsVerification, "specified -tls-no-verify without specifying -tls")
    try require(usesTLS || caFile.isEmpty, "specified -tls-ca-cert without specifying -tls")
    try require(usesTLS || certificateFile.isEmpty, "specified -tls-client-cert without specifying -tls")
    try require(usesTLS || serverName.isEmpty, "specified -tls-server-name without specifying -tls")
    try require(
      certificateFile.isEmpty || !keyFile.isEmpty, "specified -tls-client-cert without specifying -tls-client-key")
    try require(
      keyFile.isEmpty || !certificateFile.isEmpty, "specified -tls-client-key without specifying -tls-client-cert")
    try require(
      caFile.isEmpty || !skipsVerification,
      "cannot specify -tls-ca-cert with -tls-no-verify (CA cert would not be used)")
    try require(
      serverName.isEmpty || !skipsVerification,
      "cannot specify -tls-server-name with -tls-no-verify (server name would not be used)")
    try require(
      !flags.bool("alts"),
      "-alts is not supported: ALTS needs the handshake service of Google's own machines; use -tls or -spiffe")

    minimumDays = flags.integer("tls-min-days")
    try require(
      usesTLS || usesSPIFFE || minimumDays == 0, "specified -tls-min-days without specifying -tls")
    for name in ["timeout", "wait"] where flags.isGiven(name) {
      let value = flags.duration(name)
      try require(value > 0, "-\(name) must be greater than zero (specified: \(GoDuration.format(value)))")
    }
    for (one, other) in Self.conflicts where flags.isActive(one) && flags.isActive(other) {
      throw UsageError(line: "error: cannot specify -\(one) with -\(other)")
    }
    timeout = flags.isGiven("timeout") ? flags.duration("timeout") : nil
    wait = flags.isGiven("wait") ? flags.duration("wait") : nil
    isWatching = flags.bool("watch")
    userAgent = flags.string("user-agent")
    authority = flags.string("authority")
    usesGzip = flags.bool("gzip")
    isVerbose = flags.bool("v")
    writesJSON = flags.string("output") == "json"
    usesDockerCodes = flags.string("exit-codes") == "docker"
    failsFast = flags.bool("fail-fast")
    ignoresProxy = flags.bool("no-proxy")
    subject = try Self.subject(flags)
    security = usesSPIFFE ? .spiffe : usesTLS ? .tls : .plaintext
    headers =
      flags.list("rpc-header").compactMap { splitHeader($0) }
      + (try Self.headers(file: flags.string("rpc-header-file")))
    isMixingTLS = usesTLS && usesSPIFFE
  }

  /// Whether -tls and -spiffe were both given. The peer finds that later than the rest, and says it without `error:`.
  let isMixingTLS: Bool

  /// Flags that ask for different things.
  private static let conflicts = [
    ("services", "service"), ("all", "service"), ("all", "services"), ("watch", "services"), ("watch", "all"),
    ("watch", "wait"), ("connect-only", "service"), ("connect-only", "services"), ("connect-only", "all"),
    ("connect-only", "watch"),
  ]

  private static func subject(_ flags: FlagValues) throws(UsageError) -> Subject {
    if flags.bool("connect-only") { return .connection }
    if flags.bool("all") { return .all }
    guard flags.isGiven("services") else { return .service(flags.string("service")) }
    let names = flags.string("services").split(onASCII: 0x2C).map { $0.asciiTrimmed }
    var unique: [String] = []
    for name in names where !unique.contains(name) { unique.append(name) }
    return .services(unique)
  }

  /// How long a file of headers may be in bytes: more would not fit a server's header limits anyway.
  private static let headerFileLimit = 64 << 10

  private static func headers(file: String) throws(UsageError) -> [(name: String, value: String)] {
    guard !file.isEmpty else { return [] }
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try Files.read(file, limit: headerFileLimit) } catch {
      throw UsageError(
        line: "error: cannot read -rpc-header-file: \(error.operation) \(file.safeForDisplay): \(error.text)")
    }
    var headers: [(name: String, value: String)] = []
    for (index, raw) in String(decoding: bytes, as: UTF8.self).split(onASCII: 0x0A).enumerated() {
      let line = raw.utf8.last == 0x0D ? String(raw.dropLast()) : raw
      if line.asciiTrimmed.isEmpty || line.utf8.first == 0x23 { continue }
      // The line may hold a secret: its number must do.
      guard let header = splitHeader(line) else {
        throw UsageError(
          line:
            "error: line \(index + 1) of -rpc-header-file \(file.safeForDisplay) is no header, expected 'key: value'")
      }
      headers.append(header)
    }
    return headers
  }
}

extension FlagValues {
  /// Whether the flag asks for something: a boolean that is on, or any value that was given.
  fileprivate func isActive(_ name: String) -> Bool {
    let text = string(name)
    return isGiven(name) && text != "false" && !text.isEmpty
  }
}
