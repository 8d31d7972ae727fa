// SPDX-License-Identifier: Apache-2.0

import BlockingClient
import Bytes
import DNS
import Flags
import GRPC
import Gzip
import HTTP1
import HTTP2
import Health
import HealthProbe
import JSON
import Netlink
import Protobuf
import Reflection
import Sniff
import Sys
import TLS

/// What each target does with an input. A target traps, or says `fatalError`, where a rule is broken.
let targets: [String: @Sendable ([UInt8]) -> Void] = [
  "flags": flags, "framing": framing, "http2-client": { http2($0, .client) }, "http2-server": { http2($0, .server) },
  "pem": pem, "protobuf": protobuf, "calls": calls, "text": text, "address": address, "json": json,
  "json-stream": jsonStream, "json-mapping": jsonMapping,
  "service-config": serviceConfig, "reflection": reflection, "dns": dns, "resolver-files": resolverFiles,
  "http1": http1, "url": url, "sniff": sniff, "netlink": netlink, "filters": filters,
  "schema-source": schemaSource,
  "descriptors": descriptors, "messages": messages,
  "path-template": pathTemplate, "rest-request": restRequest, "rest-headers": restHeaders, "grpc-web": grpcWeb,
]

func check(_ condition: Bool, _ rule: String) {
  if !condition { fatalError(rule) }
}

/// A command line: one word a line.
@Sendable private func flags(_ input: [UInt8]) {
  let words = input.split(separator: 0x0A, maxSplits: 50, omittingEmptySubsequences: false)
  let arguments = words.map { String(systemBytes: Array($0)) }
  if let values = try? probeFlags.parse(arguments, environment: { $0.hasSuffix("ADDR") ? arguments.last : nil }) {
    for flag in probeFlags.flags { _ = (values.string(flag.name), values.duration(flag.name), values.list(flag.name)) }
  }
  if let duration = GoDuration.parse(arguments[0]) {
    check(GoDuration.parse(GoDuration.format(duration)) == duration, "a duration reads back as it prints")
  }
}

@Sendable private func address(_ input: [UInt8]) {
  let text = String(systemBytes: input)
  if let target = try? Target(text) {
    check(target.authority.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "an authority is printable")
    if case .host(let host, let port) = target.endpoint { check(!host.isEmpty && port > 0, "a host and a port") }
  }
  if let address = SocketAddress(literal: text, port: 80) {
    check(SocketAddress.isIPLiteral(text), "an address is a literal")
    check(!address.text.isEmpty, "an address has a text")
  }
}

@Sendable private func text(_ input: [UInt8]) {
  let system = String(systemBytes: input)
  check(system.systemBytes == input || system.unicodeScalars.contains { $0.value >= 0x10_FF80 }, "bytes come back")
  let safe = system.safeForDisplay
  check(!safe.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "no control character is left")
  check(safe.shortened(toUTF8Count: 20).utf8.count <= 20, "a short text is short")
  let plain = String(decoding: input, as: UTF8.self)
  check(StatusMessage.decode(StatusMessage.encode(plain)) == plain, "a message reads back")
  if let bytes = Base64.decode(input) {
    check(Base64.decode(Base64.encode(bytes.span, padded: true).utf8) == bytes, "base64 reads back")
  }
}

/// Frames of messages, cut where the input's first byte says; then the same bytes in one piece.
@Sendable private func framing(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let bytes = Array(input.dropFirst())
  func messages(_ size: Int) -> ([[UInt8]], Status?) {
    var deframer = MessageDeframer(limit: 1 << 16)
    deframer.encoding = first & 1 == 0 ? .identity : .gzip
    var found: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let end = min(start + size, bytes.count)
      deframer.receive(Array(bytes[start..<end]))
      start = end
      do throws(Status) {
        while let message = try deframer.nextMessage() { found.append(message) }
      } catch { return (found, error) }
    }
    return (found, nil)
  }
  let pieces = messages(Int(first) / 2 + 1)
  let whole = messages(max(bytes.count, 1))
  check(pieces.0 == whole.0 && pieces.1 == whole.1, "cuts make no difference")
  check(whole.0.allSatisfy { $0.count <= 1 << 16 }, "no message exceeds the limit")
  _ = try? Gzip.decompress(bytes.span, limit: 1 << 16)
  if let packed = try? Gzip.compress(bytes.span) {
    check((try? Gzip.decompress(packed.span, limit: bytes.count)) == bytes, "gzip reads back")
  }
}

@Sendable private func protobuf(_ input: [UInt8]) {
  func walk(_ reader: WireReader, _ depth: Int) {
    var reader = reader
    while let field = (try? reader.next()) ?? nil {
      check(field.number >= 1 && field.number < 1 << 29, "a field number is in range")
      switch field.value {
      case .bytes(let bytes), .group(let bytes): if depth > 0 { walk(WireReader(bytes), depth - 1) }
      default: break
      }
    }
  }
  walk(WireReader(input), 4)
  if let list = try? HealthListResponse(decoding: input) {
    check((try? HealthListResponse(decoding: list.encoded)) == list, "a list reads back")
  }
  _ = try? HealthCheckRequest(decoding: input)
  _ = try? HealthCheckResponse(decoding: input)
}

/// A session that gets the input in pieces; its client has a request under way.
@Sendable private func http2(_ input: [UInt8], _ role: HTTP2Role) {
  guard let first = input.first,
    var session = try? HTTP2Session(role: role, limits: role == .client ? .client : .server)
  else { return }
  if role == .client {
    let request = ClientRequest(path: "/a.B/C", authority: "a", isSecure: false)
    _ = try? session.submitRequest(request.fields, endStream: true)
  }
  let bytes = Array(input.dropFirst())
  let size = Int(first) + 1
  var calls: [StreamID: ServerCall] = [:]
  var client = ClientCall(kind: .unary)
  var output: [UInt8] = []
  var start = 0
  var hasFailed = false
  func drain() {
    session.drain(into: &output)
    while let event = session.nextEvent() {
      check(!hasFailed, "nothing follows a failure")
      switch event {
      case .failed: hasFailed = true
      case .headers(let id, _, kind: _, endStream: _):
        client.receive(event)
        calls[id, default: ServerCall()].receive(event)
      case .data(let id, _, let flowControlled, endStream: _):
        client.receive(event)
        calls[id]?.receive(event)
        session.consume(id, flowControlled)
      case .streamClosed(let id, _): calls[id] = nil
      default: break
      }
      while client.nextEvent() != nil {}
      for id in calls.keys { while calls[id]?.nextEvent() != nil {} }
    }
    output.removeAll(keepingCapacity: true)
  }
  while start < bytes.count {
    let end = min(start + size, bytes.count)
    session.receive(bytes.span.extracting(start..<end))
    start = end
    drain()
  }
  session.receiveEnd()
  drain()
}

/// A call that gets events made from the input: a byte of kind, then a byte of length, then the content.
@Sendable private func calls(_ input: [UInt8]) {
  var client = ClientCall(kind: .unary, receiveLimit: 1 << 12)
  var server = ServerCall(receiveLimit: 1 << 12)
  var ends = 0
  var rest = input[...]
  while let kind = rest.popFirst() {
    let length = min(Int(rest.popFirst() ?? 0), rest.count)
    let content = Array(rest.prefix(length))
    rest = rest.dropFirst(length)
    let isEnd = kind & 0x80 != 0
    let event: HTTP2Event
    switch kind & 3 {
    case 0:
      var fields: HeaderFields = []
      for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        fields.append(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      }
      let kinds: [HeadersKind] = [.request, .response, .trailers, .informational]
      event = .headers(1, fields, kind: kinds[Int(kind >> 2) & 3], endStream: isEnd)
    case 1: event = .data(1, content, flowControlled: content.count, endStream: isEnd)
    case 2: event = .reset(1, HTTP2ErrorCode(rawValue: UInt32(content.first ?? 0)), by: isEnd ? .peer : .local)
    default: event = .streamClosed(1, HTTP2ErrorCode(rawValue: UInt32(content.first ?? 0)))
    }
    client.receive(event)
    server.receive(event)
    while let event = client.nextEvent() { if case .ended = event { ends += 1 } }
    while server.nextEvent() != nil {}
    server.finish(Status(.ok))
    while server.nextAction() != nil {}
  }
  check(ends <= 1, "a call ends once")
}

@Sendable private func pem(_ input: [UInt8]) {
  for certificate in PEM.certificates(in: input) { _ = CertificateFacts(der: certificate) }
  _ = PEM.holdsCertificate(input)
  _ = CertificateFacts(der: input)
}

/// A document, as tokens and as a value.
@Sendable private func json(_ input: [UInt8]) {
  var limits = JSONLimits()
  limits.depth = 20
  var reader = JSONReader(input, limits: limits)
  var tokens = 0
  while let token = (try? reader.next()) ?? nil {
    tokens += 1
    check(reader.depth <= 20, "nesting is bounded")
    check(tokens <= input.count, "a token takes a byte at least")
    switch token {
    case .number: numbers(reader.number)
    case .key, .string:
      check(String(validating: reader.text, as: UTF8.self) != nil, "a text is UTF-8")
      check(reader.withText { $0.count } == reader.text.count, "a text is the same either way")
    default: break
    }
  }
  if let value = try? JSONValue(parsing: input, limits: limits) {
    var writer = JSONWriter()
    write(value, &writer)
    var again = JSONWriter()
    if let read = try? JSONValue(parsing: writer.bytes, limits: limits) { write(read, &again) }
    check(again.bytes == writer.bytes, "a value reads back")
  }
}

private func numbers(_ number: JSONNumber) {
  let float = Float(number.text)
  check(number.float == (float?.isFinite == true ? float : nil), "a float is that of the C library")
  let expected = Double(number.text)
  check(number.double == (expected?.isFinite == true ? expected : nil), "a double is that of the C library")
  if let whole = number.int64 { check(number.double == Double(whole), "a whole number is a double too") }
}

private func write(_ value: JSONValue, _ writer: inout JSONWriter) {
  switch value {
  case .null: writer.null()
  case .boolean(let value): writer.boolean(value)
  case .number(let number): writer.integer(number.int64 ?? 0)
  case .string(let text): writer.string(text)
  case .array(let values):
    writer.beginArray()
    for value in values { write(value, &writer) }
    writer.endArray()
  case .object(let members):
    writer.beginObject()
    for member in members {
      writer.key(member.name)
      write(member.value, &writer)
    }
    writer.endObject()
  }
}

/// A stream of values, cut where the input's first byte says; then the same bytes in one piece.
@Sendable private func jsonStream(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let bytes = Array(input.dropFirst())
  var limits = JSONLimits()
  limits.depth = 20
  limits.bytes = 1_000
  func values(_ size: Int) -> ([[UInt8]], JSONError?) {
    var splitter = JSONSplitter(first & 1 == 0 ? .values : .elements, limits: limits)
    var found: [[UInt8]] = []
    do throws(JSONError) {
      for start in stride(from: 0, to: bytes.count, by: size) {
        splitter.receive(bytes[start..<min(start + size, bytes.count)])
        while let value = try splitter.next() { found.append(Array(value)) }
      }
      splitter.receiveEnd()
      while let value = try splitter.next() { found.append(Array(value)) }
    } catch { return (found, error) }
    check(splitter.isFinished, "a stream that did not fail has ended")
    return (found, nil)
  }
  let whole = values(max(bytes.count, 1))
  check(values(Int(first) / 2 + 1) == whole, "cuts make no difference")
  check(whole.0.allSatisfy { (1...1_000).contains($0.count) }, "a value is bounded")
  if first & 1 == 1, case .array(let elements)? = try? JSONValue(parsing: bytes, limits: limits) {
    check(whole.0.compactMap { try? JSONValue(parsing: $0, limits: limits) } == elements, "elements are values")
  }
}

@Sendable private func serviceConfig(_ input: [UInt8]) {
  guard let config = try? ServiceConfig(parsing: String(decoding: input, as: UTF8.self)) else { return }
  if case .leastRequest(let choices) = config.loadBalancing { check((2...10).contains(choices), "choices are bounded") }
  for path in ["/a/b", "/s/m", "", "/"] {
    let method = config.method(path: path)
    check(method.timeout ?? 0 >= 0, "a timeout is no past time")
    guard case .retry(let policy) = method.recovery else { continue }
    check((2...5).contains(policy.maxAttempts) && !policy.retryableCodes.isEmpty, "a policy is bounded")
    for n in [0, 1, 5, Int.max] { check(policy.backoff.delay(before: n, random: 1) >= 0, "a wait is no past time") }
  }
}

/// Messages of reflection, and the same bytes as a file and as a set of files.
@Sendable private func reflection(_ input: [UInt8]) {
  if let request = try? ReflectionRequest(decoding: input) {
    check((try? ReflectionRequest(decoding: request.encoded)) == request, "a request reads back")
  }
  if let response = try? ReflectionResponse(decoding: input) {
    check((try? ReflectionResponse(decoding: response.encoded)) == response, "a response reads back")
  }
  for index in [try? DescriptorIndex([input]), try? DescriptorIndex(set: input)] {
    guard let index else { continue }
    for name in index.fileNames { check(index.files(named: name)?.isEmpty == false, "a file is found") }
    for name in index.services { check(index.files(declaring: name)?.isEmpty == false, "a service is found") }
  }
}

/// A message, and the same bytes as a name in text.
@Sendable private func dns(_ input: [UInt8]) {
  if let message = try? DNSMessage(decoding: input) {
    let records = message.answers + message.authorities + message.additionals
    check(records.count * 11 <= input.count, "a record takes eleven bytes at least")
    for name in records.map(\.name) + message.questions.map(\.name) {
      check((1...DNSName.maxLength).contains(name.wire.count), "a name is bounded")
      check((try? DNSName(name.text))?.wire == name.wire, "a name reads back")
      if let address = name.reverseAddress { check(DNSName(reverseOf: address) == name, "a reverse name reads back") }
    }
    if let question = message.questions.first {
      let query = DNSQuery(id: message.id, name: question.name, type: question.type)
      let asked = try? DNSMessage(decoding: query.encoded)
      check(asked?.questions == [query.question], "a query reads back")
    }
  }
  let text = String(decoding: input, as: UTF8.self)
  if let name = try? DNSName(text) { check((try? DNSName(name.text)) == name, "a name reads back") }
  if let address = IPAddress(text) { check(IPAddress(address.text) == address, "an address reads back") }
}

/// A resolver's file and, with the same content, a file of hosts and the two variables.
@Sendable private func resolverFiles(_ input: [UInt8]) {
  let text = String(systemBytes: input)
  for configuration in [
    ResolverConfiguration(input), ResolverConfiguration([], localDomain: text, resolverOptions: text, hostName: text),
  ] {
    check((1...3).contains(configuration.nameServers.count), "servers are bounded")
    check((0...15).contains(configuration.options.ndots), "ndots is bounded")
    check(configuration.remarks.count <= min(20, configuration.remarkCount), "remarks are bounded")
    for name in ["a", "a.b", "a."] {
      let names = (try? configuration.searchList(for: name)) ?? []
      check(names.count <= configuration.searchDomains.count + 1, "a name is asked once a domain")
    }
  }
  let hosts = HostsFile(input)
  for entry in hosts.entries(named: "localhost") + hosts.entries(at: .loopbackIPv4) {
    check(!entry.names.isEmpty, "an entry has a name")
    check(hosts.entries(at: entry.address).contains(entry), "an entry is found by its address")
  }
  for remark in hosts.remarks { check(remark.message.utf8.allSatisfy { $0 >= 0x20 }, "a remark is one line") }
}

/// What is read as a URL is written so that it reads the same, and nothing in it ends a line of a request.
@Sendable private func url(_ input: [UInt8]) {
  guard let url = try? HTTPURL(String(systemBytes: input)) else { return }
  check(url.text.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "a URL is printable")
  guard let again = try? HTTPURL(url.text) else { fatalError("a URL reads again") }
  check(again.text == url.text && again.port == url.port, "a URL reads the same again")
  let request = try? HTTP1Request(target: url.target, fields: [HTTP1Field("Host", url.authority)])
  check(request != nil, "a URL can be asked for")
}

/// A response, cut where the input's first byte says; then the same bytes in one piece.
@Sendable private func http1(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let bytes = Array(input.dropFirst())
  func events(_ size: Int) -> [HTTP1Event] {
    var parser = HTTP1ResponseParser(method: first & 1 == 0 ? "GET" : "HEAD")
    var events: [HTTP1Event] = []
    func drain() {
      while let event = parser.nextEvent() {
        if case .body(let more) = event, case .body(let before)? = events.last {
          events[events.count - 1] = .body(before + more)
        } else {
          events.append(event)
        }
      }
    }
    var start = 0
    while start < bytes.count {
      let end = min(start + size, bytes.count)
      parser.receive(bytes.span.extracting(start..<end))
      start = end
      drain()
    }
    parser.receiveEnd()
    drain()
    check(parser.isFinished, "a response ends with its connection")
    return events
  }
  let whole = events(max(bytes.count, 1))
  check(events(Int(first) / 2 + 1) == whole, "cuts make no difference")
  let ends = whole.indices.filter { index in
    switch whole[index] {
    case .end, .failed: true
    default: false
    }
  }
  check(ends == [whole.count - 1], "a response ends once")
  if case .head(let head)? = whole.first {
    check((try? HTTP1Request(target: "/", fields: head.fields)) != nil, "a field that is read can be written")
  }
}

/// The first bytes of a peer, one by one; then all of them at once.
@Sendable private func sniff(_ input: [UInt8]) {
  var sniffer = Sniffer(after: .http2)
  var early: Finding?
  for byte in input {
    early = sniffer.receive([byte].span)
    if early != nil { break }
  }
  let late = Finding(Speech(input), after: .http2, ending: .closed)
  if let early { check(early.speech == late.speech, "an early verdict is the last one") }
  for finding in [early ?? late, late] {
    check(finding.sentence.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a sentence is safe to print")
    check(finding.sentence.utf8.count < 600, "a sentence is short")
  }
}

/// The payload of a message of the kernel's, of whatever kind; or a table of /proc.
@Sendable private func netlink(_ input: [UInt8]) {
  let bytes = input.span
  if let socket = SocketRecord(bytes) {
    check(IPAddress(socket.localAddress.text) == socket.localAddress, "an address reads back as it prints")
  }
  _ = (LinkRecord(bytes), AddressRecord(bytes), RouteRecord(bytes), NeighbourRecord(bytes), TCPInfo(bytes))
  for line in input.split(separator: 0x0A) { _ = (ProcNetSocket(line: line), UnixSocketRecord(line: line)) }
  _ = UnixSocketRecord(bytes)
  let text = String(decoding: input.prefix(64), as: UTF8.self)
  if let address = IPAddress(text) { check(IPAddress(address.text) == address, "an address reads back as it prints") }
}

/// A filter of sockets, one word a line; then what it says of sockets whose records are the input itself.
@Sendable private func filters(_ input: [UInt8]) {
  let words = input.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(systemBytes: Array($0)) }
  guard let filter = try? SocketFilter(words, interface: { $0 == "lo" ? 1 : nil }) else { return }
  if let states = filter.states { check(SocketStates.all.isSuperset(of: states), "states are known ones") }
  guard let condition = filter.condition else { return }
  // The attribute's length fits, and each instruction leads to another one, or to one of the two ends.
  let program = condition.bytecode
  check(!program.isEmpty && program.count % 4 == 0 && program.count < 10_000, "a program is bounded")
  var (starts, targets): (Set<Int>, [Int]) = ([program.count, program.count + 4], [])
  var offset = 0
  while offset < program.count {
    starts.insert(offset)
    let (yes, no) = (Int(program[offset + 1]), Int(program[offset + 2]) | Int(program[offset + 3]) << 8)
    check(yes >= 4 && no >= yes, "an instruction leads forward")
    targets.append(offset + no)
    offset += yes
  }
  check(offset == program.count && starts.isSuperset(of: targets), "an instruction leads to another")
  for family in [2, 10] as [UInt8] {
    var bytes = [family] + input.prefix(71)
    bytes += [UInt8](repeating: 0, count: 72 - bytes.count)
    guard let record = SocketRecord(bytes.span) else { continue }
    guard condition.matches(record) else { continue }
    check(condition.canMatch(isIPv6: family == 10), "a family that matches is asked about")
  }
}

/// A .proto file: what it compiles to is linked, printed and compared with itself.
@Sendable private func schemaSource(_ input: [UInt8]) {
  let files = try? SchemaSource.compile(["a.proto"]) { $0 == "a.proto" ? .success(input) : .missing }
  guard let files, let pool = try? DescriptorPool(files: files), let file = pool.file(named: "a.proto") else { return }
  var printer = SchemaPrinter()
  printer.print(file)
  check(!printer.text.isEmpty, "a file is printed")
  check(SchemaComparison.changes(from: pool, to: pool).isEmpty, "a schema is compatible with itself")
}
