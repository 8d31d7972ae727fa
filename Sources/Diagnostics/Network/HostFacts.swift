// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import DNS
internal import Sys

/// What surrounds a program beside its networks: names, proxies, rights, limits, and whether it is in a container.
struct HostFacts {
  /// The machine's name.
  var hostName = ""
  /// What the resolver makes of `/etc/resolv.conf`; nil where the file cannot be read.
  var resolver: ResolverConfiguration?
  /// The proxies of the environment, without what must not be seen.
  var proxies: [ProxyVariable] = []
  /// What this process may do.
  var rights = ProcessRights()
  /// This process's descriptors.
  var descriptors = Descriptors(used: nil, soft: nil, hard: nil)
  /// Those of process 1, which in a container is the service; nil where they may not be seen.
  var firstProcess: (command: String, descriptors: Descriptors)?
  /// The ports that connections of our own come from; nil where that is not known.
  var ephemeralPorts: ClosedRange<Int>?
  /// The first port that needs no privilege to listen on; nil where that is not known.
  var firstUnprivilegedPort: Int?
  /// What tells a container.
  var container = ContainerEvidence()
  /// Where the certificates of authorities are; nil where there are none.
  var trustStore: String?

  /// Looks around.
  init(environment: (String) -> String?) {
    func read(_ path: String) -> [UInt8]? { try? Files.read(path, limit: 1 << 20) }
    hostName = Process.hostName
    resolver = read("/etc/resolv.conf").map {
      ResolverConfiguration(
        $0, localDomain: environment("LOCALDOMAIN"), resolverOptions: environment("RES_OPTIONS"), hostName: hostName)
    }
    proxies = ProxyVariable.all(environment)
    rights = ProcessRights(status: read("/proc/self/status") ?? [], userID: ProcessFacts.ownUserID)
    descriptors = .own
    let first = Descriptors(of: 1)
    if first.used != nil, first.soft != nil { firstProcess = (ProcessFacts(1)?.command ?? "", first) }
    ephemeralPorts = read("/proc/sys/net/ipv4/ip_local_port_range").flatMap { Self.range($0) }
    firstUnprivilegedPort = read("/proc/sys/net/ipv4/ip_unprivileged_port_start").flatMap { Self.numbers($0).first }
    container = ContainerEvidence(exists: Files.exists, read: read, environment: environment)
    trustStore = SystemTrust.place(environment: environment)
  }

  /// Facts that a test sets.
  init() {}

  /// The numbers of a file under `/proc/sys`.
  private static func numbers(_ text: [UInt8]) -> [Int] {
    text.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }.compactMap { parseDecimal($0, atMost: 65_535) }
  }

  static func range(_ text: [UInt8]) -> ClosedRange<Int>? {
    let ends = numbers(text)
    guard ends.count == 2, ends[0] <= ends[1] else { return nil }
    return ends[0]...ends[1]
  }
}

/// A variable that sends clients through a proxy, or says what goes without.
struct ProxyVariable: Equatable {
  let name: String
  /// Its value, with credentials left out.
  let value: String

  private static let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]

  /// Those that are set, also in small letters, and gRPC's own.
  static func all(_ environment: (String) -> String?) -> [ProxyVariable] {
    let names = names.flatMap { [$0, $0.asciiLowercased] } + ["grpc_proxy", "no_grpc_proxy"]
    return names.compactMap { name in
      guard let value = environment(name), !value.isEmpty else { return nil }
      return ProxyVariable(name: name, value: name.asciiLowercased.hasPrefix("no_") ? value : value.withoutCredentials)
    }
  }
}

/// What this process may do, as `/proc/self/status` tells it. What is not told is nil.
struct ProcessRights: Equatable {
  /// The kernel's ways to filter system calls.
  enum SystemCallFilter: Int {
    case none = 0
    case strict = 1
    case filter = 2

    var name: String {
      switch self {
      case .none: "none"
      case .strict: "strict"
      case .filter: "filter"
      }
    }
  }

  private(set) var userID: UInt32?
  private(set) var groupID: UInt32?
  private(set) var effective: Capabilities?
  private(set) var bounding: Capabilities?
  private(set) var hasNoNewPrivileges: Bool?
  private(set) var systemCallFilter: SystemCallFilter?

  /// Nothing that is known.
  init() {}

  /// Reads the file's text; the user is known without it.
  init(status: [UInt8], userID: UInt32) {
    self.userID = userID
    for line in status.split(separator: 0x0A) {
      let words = line.split { $0 == 0x20 || $0 == 0x09 }
      guard words.count >= 2 else { continue }
      switch String(decoding: words[0], as: UTF8.self) {
      case "Gid:" where words.count >= 3:
        // The real, then the effective one.
        groupID = parseDecimal(words[2], atMost: Int(UInt32.max)).map { UInt32($0) }
      case "CapEff:": effective = Capabilities(words[1])
      case "CapBnd:": bounding = Capabilities(words[1])
      case "NoNewPrivs:": hasNoNewPrivileges = parseDecimal(words[1]).map { $0 == 1 }
      case "Seccomp:": systemCallFilter = parseDecimal(words[1]).flatMap { SystemCallFilter(rawValue: $0) }
      default: break
      }
    }
  }
}

/// A set of capabilities (capabilities(7)).
struct Capabilities: Equatable {
  private let bits: UInt64

  /// The names by the kernel's numbers.
  private static let known = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
  ]

  /// Reads the hexadecimal digits of a `status` file; nil for anything else.
  init?(_ digits: some Collection<UInt8>) {
    guard (1...16).contains(digits.count) else { return nil }
    var bits: UInt64 = 0
    for digit in digits {
      guard let value = digit.hexDigitValue else { return nil }
      bits = bits << 4 | UInt64(value)
    }
    self.bits = bits
  }

  /// The names, in the order of the kernel's numbers.
  var names: [String] {
    (0..<64).filter { bits >> UInt64($0) & 1 == 1 }.map { number in
      number < Self.known.count ? "CAP_" + Self.known[number] : "\(number)"
    }
  }

  /// The names for people: where nearly all are there, those that are not.
  var text: String {
    if bits == 0 { return "none" }
    let missing = Self.known.indices.filter { bits >> UInt64($0) & 1 == 0 }
    if missing.isEmpty { return "all" }
    guard missing.count < 8 else { return names.joined(separator: " ") }
    return "all but " + missing.map { "CAP_" + Self.known[$0] }.joined(separator: " ")
  }
}

/// What tells that this is a container. Nothing tells it for certain; each sign is named.
struct ContainerEvidence: Equatable {
  /// What made it, as far as a sign says so: `docker`, `podman`, `kubernetes` …
  private(set) var runtime: String?
  /// The signs.
  private(set) var signs: [String] = []

  /// No sign.
  init() {}

  /// Looks for signs.
  init(exists: (String) -> Bool, read: (String) -> [UInt8]?, environment: (String) -> String?) {
    // Kubernetes runs containers by another's hand: what made it is the answer that says more.
    if !(environment("KUBERNETES_SERVICE_HOST") ?? "").isEmpty {
      add("the variable KUBERNETES_SERVICE_HOST", "kubernetes")
    }
    if exists("/run/.containerenv") { add("/run/.containerenv", "podman") }
    if exists("/.dockerenv") { add("/.dockerenv", "docker") }
    for (word, runtime) in Self.groups where Self.contains(read("/proc/self/cgroup") ?? [], word) {
      add("a control group of \(runtime)", runtime)
    }
    if let name = environment("container"), !name.isEmpty {
      add("the variable container", name.shortened(toUTF8Count: 40))
    }
    if Self.hasOverlayRoot(read("/proc/self/mountinfo") ?? []) { add("an overlay as the root file system", nil) }
  }

  /// What the names of control groups have in them.
  private static let groups = [
    ("kubepods", "kubernetes"), ("libpod", "podman"), ("docker", "docker"), ("containerd", "containerd"),
    ("crio", "cri-o"), ("/lxc", "lxc"),
  ]

  private mutating func add(_ sign: String, _ runtime: String?) {
    signs.append(sign)
    self.runtime = self.runtime ?? runtime
  }

  private static func contains(_ text: [UInt8], _ word: String) -> Bool {
    let word = Array(word.utf8)
    return text.indices.contains { text[$0...].starts(with: word) }
  }

  /// Whether the last mount on `/` is an overlay:
  ///
  ///     540 539 0:47 / / rw,relatime - overlay overlay rw,lowerdir=…
  static func hasOverlayRoot(_ mounts: [UInt8]) -> Bool {
    var isOverlay = false
    for line in mounts.split(separator: 0x0A) {
      let words = line.split(separator: 0x20)
      guard words.count > 6, words[4].elementsEqual("/".utf8) else { continue }
      guard let dash = words.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash + 1 < words.count else { continue }
      isOverlay = words[dash + 1].elementsEqual("overlay".utf8)
    }
    return isOverlay
  }
}
