// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Netlink
internal import Sys

/// `netdiag sockets [FILTER]`.
let socketsCommand = Netdiag.Command(
  "sockets", summary: "lists sockets, their state, queues, owners and what the kernel knows of the connections",
  operands: "[FILTER…]",
  groups: [
    FlagGroup(
      "Which sockets",
      [
        flag("tcp", "t", "list TCP sockets"),
        flag("udp", "u", "list UDP sockets"),
        flag("unix", "x", "list Unix sockets", "Without any of the three, all are listed."),
        flag("listening", "l", "list those that take connections instead of those that are connected"),
        flag("all", "a", "list those in every state"),
        flag("ipv4", "4", "list IPv4 sockets alone"),
        flag("ipv6", "6", "list IPv6 sockets alone"),
      ]),
    FlagGroup(
      "What is told",
      [
        flag("processes", "p", "tell the process of each socket, or why it cannot be seen"),
        flag("info", "i", "tell all that the kernel knows of each TCP connection, by its own names"),
        flag("memory", "m", "tell the memory that each socket takes"),
        flag("options", "o", "tell the timer that runs, in milliseconds"),
        flag("extended", "e", "tell the user, the inode and the cookie"),
        flag("no-header", "H", "leave the heading out"),
        flag("numeric", "n", "taken out of habit from ss: addresses and ports are always numbers"),
        flag("summary", "s", "count the sockets by state instead"),
      ]),
    FlagGroup(
      "Watching",
      [
        Flag(
          "watch", .bool, summary: "tell what opens, closes and changes its state, until interrupted",
          details: "With --json, one object a line.", hasEnvironment: false),
        Flag(
          "interval", .duration, "DURATION", default: "1s", summary: "time between two looks", hasEnvironment: false),
      ]),
  ],
  readsTables: true
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let selection = try SocketSelection(flags)
  let columns = SocketColumns(
    processes: flags.bool("processes"), timers: flags.bool("options"), extended: flags.bool("extended"),
    memory: flags.bool("memory"), info: flags.bool("info"))
  var source = SocketSource(selection, in: invocation.place)
  guard flags.bool("watch") else {
    let form: SocketListing.Form = flags.bool("json") ? .json : .text(hasHeading: !flags.bool("no-header"))
    var listing = SocketListing(form, columns, TextOutput(.output, invocation.environment))
    return listing.run(&source, isSummary: flags.bool("summary"))
  }
  guard !flags.bool("summary") else { throw UsageError(line: "--watch tells changes, and --summary counts: name one") }
  guard flags.duration("interval") >= 10_000_000 else { throw UsageError(line: "--interval is at least 10ms") }
  var watch = SocketWatch(
    columns, isJSON: flags.bool("json"), interval: flags.duration("interval"),
    TextOutput(.output, invocation.environment))
  return watch.run(&source)
}

private func flag(_ name: String, _ short: String, _ summary: String, _ details: String = "") -> Flag {
  Flag(name, .bool, summary: summary, details: details, hasEnvironment: false, short: short)
}

extension SocketSelection {
  /// What the flags and the filter ask for.
  fileprivate init(_ flags: FlagValues) throws(UsageError) {
    var filter: SocketFilter?
    if !flags.operands.isEmpty {
      do throws(SocketFilterError) {
        filter = try SocketFilter(flags.operands, interface: { NetworkInterface.number(named: $0) })
      } catch { throw UsageError(line: error.line) }
    }
    var transports: Transports = []
    if flags.bool("tcp") { transports.insert(.tcp) }
    if flags.bool("udp") { transports.insert(.udp) }
    if flags.bool("unix") { transports.insert(.unix) }
    var families: Families = []
    if flags.bool("ipv4") { families.insert(.ipv4) }
    if flags.bool("ipv6") { families.insert(.ipv6) }
    // Unix sockets have neither ports nor addresses.
    let isInternet = filter?.condition != nil || !families.isEmpty
    guard !isInternet || !transports.contains(.unix) else {
      throw UsageError(line: "Unix sockets have no ports and addresses: leave out --unix, or what asks for those")
    }
    if transports.isEmpty { transports = isInternet ? [.tcp, .udp] : [.tcp, .udp, .unix] }
    self.init(transports: transports, families: families.isEmpty ? [.ipv4, .ipv6] : families)
    self.filter = filter
    // Of the two, the one that stands last holds.
    let isListening = flags.bool("listening") && !(flags.bool("all") && flags.isGiven("all", after: "listening"))
    scope = flags.bool("summary") ? .all : isListening ? .listening : flags.bool("all") ? .all : .connected
    wantsInfo = flags.bool("info")
    wantsMemory = flags.bool("memory")
  }
}
