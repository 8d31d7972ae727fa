// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import DNS
internal import Flags
internal import Sys

/// `netdiag dns NAME`.
let dnsCommand = Netdiag.Command(
  "dns", summary: "asks the hosts file and each name server for a name and tells who says what", operands: "NAME",
  groups: [
    FlagGroup(
      "The questions",
      [
        Flag(
          "server", .list, "ADDR[:PORT]", summary: "ask this server and not those of resolv.conf",
          details: "May be given more than once. The port is 53 unless given. The hosts file then decides nothing.",
          hasEnvironment: false),
        Flag(
          "type", .string, "TYPES", default: "A,AAAA", summary: "which records to ask for",
          details: "Names or numbers with commas between them, such as SRV,TXT,TYPE65. For an address the default is "
            + "PTR. A point at the name's end keeps the search list of resolv.conf out.",
          hasEnvironment: false),
        Flag(
          "timeout", .duration, "DURATION", default: "2s", summary: "time for each try, and for each answer over TCP",
          details: "Those of resolv.conf do not count. The names of the addresses found get half a second at most.",
          hasEnvironment: false),
        Flag(
          "tries", .integer(1...10), "N", default: "2", summary: "how often to send a question that nobody answers",
          hasEnvironment: false),
      ])
  ]
) { (invocation) throws(UsageError) in
  let report = try DNSReport(invocation)
  return invocation.finish(report)
}

extension DNSReport {
  /// The most types, and the most servers, that one run asks.
  private static let maxTypes = 16
  private static let maxServers = 64

  /// Asks as the flags say and reports on it.
  fileprivate init(_ invocation: Invocation) throws(UsageError) {
    let flags = invocation.flags
    guard let name = flags.operands.first, flags.operands.count == 1 else { throw UsageError(line: "name one name") }
    let timeout = try invocation.timeout
    let types = IPAddress(name) != nil && !flags.isGiven("type") ? [.ptr] : try Self.types(flags.string("type"))
    var servers: [SocketAddress] = []
    for text in flags.list("server") { servers.append(try Self.server(text)) }
    try self.init(
      name, types, servers: servers, timeout: timeout, tries: flags.integer("tries"),
      environment: invocation.environment)
  }

  /// Asks for a name and reports on it.
  ///
  /// - Parameters:
  ///   - name: a name or an address.
  ///   - servers: whom to ask; where there are none, the hosts file first and then those of `/etc/resolv.conf`.
  ///   - timeout: time for each try, in nanoseconds.
  ///   - tries: how often a question is sent that nobody answers.
  init(
    _ name: String, _ types: [DNSRecordType], servers: [SocketAddress], timeout: Int64, tries: Int,
    environment: (String) -> String?
  ) throws(UsageError) {
    let address = IPAddress(name)
    let configuration = ResolverConfiguration(
      (try? Files.read("/etc/resolv.conf", limit: ResolverConfiguration.maxFileLength)) ?? [],
      localDomain: environment("LOCALDOMAIN"), resolverOptions: environment("RES_OPTIONS"), hostName: Process.hostName)
    let names: [DNSName]
    do throws(DNSNameError) {
      names = if let address { [DNSName(reverseOf: address)] } else { try configuration.searchList(for: name) }
    } catch { throw UsageError(line: "\(name.quoted) is no name: \(error.message)") }

    let hosts = HostsFile.system
    if let address {
      self.hosts = types.contains(.ptr) ? hosts.entries(at: address) : []
    } else {
      let plain = name.utf8.last == 0x2E ? String(name.dropLast()) : name
      self.hosts = hosts.entries(named: plain).filter { types.contains($0.address.isIPv6 ? .aaaa : .a) }
    }
    var remarks: [String] = []
    var addresses = servers
    hostsDecide = addresses.isEmpty
    if addresses.isEmpty {
      addresses = configuration.nameServers.map { SocketAddress($0) }
      if configuration.hasDefaultNameServer {
        remarks.append("/etc/resolv.conf names no name server: this machine itself is asked")
      }
      for remark in configuration.remarks {
        remarks.append((remark.line == 0 ? "a variable: " : "/etc/resolv.conf line \(remark.line): ") + remark.message)
      }
    }
    guard addresses.count <= Self.maxServers else {
      throw UsageError(line: "--server may be given \(Self.maxServers) times at most")
    }
    var seen: Set<SocketAddress> = []
    let distinct = addresses.filter { seen.insert($0).inserted }
    if distinct.count < addresses.count { remarks.append("the same name server stands there more than once") }

    let probe = DNSProbe(timeout: timeout, tries: tries, usesEDNS: configuration.options.usesEDNS)
    self.name = name
    self.types = types
    self.remarks = remarks
    self.servers = probe.search(names, types, at: distinct)
  }

  private static func types(_ text: String) throws(UsageError) -> [DNSRecordType] {
    var types: [DNSRecordType] = []
    for word in text.split(onASCII: 0x2C) {
      guard let type = DNSRecordType(name: word) else {
        throw UsageError(line: "\(word.quoted) is no type of records: write one such as A, SRV or TYPE65")
      }
      if !types.contains(type) { types.append(type) }
    }
    guard !types.isEmpty, types.count <= maxTypes else {
      throw UsageError(line: "--type takes from 1 to \(maxTypes) types")
    }
    return types
  }

  private static func server(_ text: String) throws(UsageError) -> SocketAddress {
    if let address = SocketAddress(literal: text, port: 53) { return address }
    if text.utf8.first == 0x5B, text.utf8.last == 0x5D,
      let address = SocketAddress(literal: String(text.dropFirst().dropLast()), port: 53)
    {
      return address
    }
    guard let endpoint = try? Endpoint([text]), let address = SocketAddress(literal: endpoint.host, port: endpoint.port)
    else { throw UsageError(line: "\(text.quoted) is no address of a server: write ADDR or ADDR:PORT") }
    return address
  }
}

extension HostsFile {
  /// The file of this place; an empty one where it cannot be read.
  static var system: HostsFile { HostsFile((try? Files.read("/etc/hosts", limit: maxFileLength)) ?? []) }
}

extension SocketAddress {
  /// Where a server of resolv.conf is asked. An interface that does not exist is left out, and the kernel says so.
  fileprivate init(_ server: ResolverConfiguration.NameServer) {
    let host = server.address.text + (server.zone.isEmpty ? "" : "%" + server.zone)
    self =
      SocketAddress(literal: host, port: 53)
      ?? (server.address.isIPv6
        ? .ipv6(server.address.bytes, port: 53, scope: 0) : .ipv4(server.address.bytes, port: 53))
  }
}
