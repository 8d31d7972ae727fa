// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import HTTP1
internal import HealthProbe
internal import Sys
internal import TLS

/// `netdiag http URL`.
let httpCommand = Netdiag.Command(
  "http", summary: "makes one request of HTTP/1.1 or HTTP/2 and tells how the answer came about", operands: "URL",
  groups: [
    FlagGroup(
      "The request",
      [
        Flag("method", .string, "METHOD", summary: "GET unless this, or data, is given", hasEnvironment: false),
        Flag(
          "header", .list, "'NAME: VALUE'", summary: "field to send; may be given more than once",
          hasEnvironment: false),
        Flag(
          "data", .string, "TEXT", summary: "body to send by POST: a text, @FILE, or @- for standard input",
          hasEnvironment: false),
        Flag("http1.1", .bool, summary: "speak HTTP/1.1, whatever the server offers", hasEnvironment: false),
        Flag(
          "http2", .bool, summary: "speak HTTP/2; without TLS, the server must know it without being asked",
          hasEnvironment: false),
        Flag(
          "timeout", .duration, "DURATION", default: "10s", summary: "time for everything", hasEnvironment: false),
        Flag(
          "max-body", .integer(0...(1 << 30)), "BYTES", default: "16777216",
          summary: "how much of the answer's body is read", hasEnvironment: false),
      ]),
    FlagGroup(
      "The answer",
      [
        Flag(
          "verbose", .bool, summary: "tell the fields of the request and of the answer",
          details: "Values of authorization, cookie, proxy-authorization and set-cookie are hidden.",
          hasEnvironment: false, short: "v"),
        Flag("body", .bool, summary: "with --json: put the answer's body into the document", hasEnvironment: false),
      ]),
    TLSFlags.verified,
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  guard flags.operands.count == 1 else { throw UsageError(line: "name one URL, as http://HOST:PORT/PATH") }
  let timeout = try invocation.timeout
  let url = try HTTPURL(operand: flags.operands[0])
  let probe = try HTTPProbe(invocation, url)
  // What was read from standard input took whoever wrote it its time.
  let deadline = Deadline(nanoseconds: timeout)
  let outcome: Result<HTTPFindings, Problem>
  do throws(Problem) { outcome = .success(try probe.run(until: deadline)) } catch { outcome = .failure(error) }
  let report = HTTPReport(
    probe: probe, outcome: outcome, isVerbose: flags.bool("verbose"), holdsBody: flags.bool("body"),
    proxyVariable: proxyVariable(url, invocation.environment))
  if !flags.bool("json"), case .success(let found) = outcome { StandardStream.output.write(shown: found.body) }
  return invocation.finish(report, to: .error)
}

/// The variable that sends other clients through a proxy; nil where none does.
private func proxyVariable(_ url: HTTPURL, _ environment: (String) -> String?) -> String? {
  func first(_ names: [String]) -> String? { names.first { !(environment($0) ?? "").isEmpty } }
  let names = url.isSecure ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"]
  guard let name = first(names + ["ALL_PROXY", "all_proxy"]) else { return nil }
  let exceptions = first(["NO_PROXY", "no_proxy"]).flatMap { environment($0) } ?? ""
  let rules = ProxyRules(proxy: environment(name) ?? "", exceptions: exceptions)
  do throws(Fault) { return try rules.proxy(host: url.host, port: url.port) == nil ? nil : name } catch {
    // One of a kind that is not known here is one all the same.
    return name
  }
}

extension HTTPURL {
  /// Reads a URL that a command line gave.
  init(operand text: String) throws(UsageError) {
    do throws(HTTPURLError) { try self.init(text) } catch { throw UsageError(line: error.message) }
    guard !host.utf8.contains(0x3A) || SocketAddress.isIPLiteral(host) else {
      throw UsageError(line: HTTPURLError.badHost.message)
    }
  }
}

extension StandardStream {
  /// Writes data as it is; on a terminal, without what could move its cursor.
  fileprivate func write(shown data: [UInt8]) {
    guard isTerminal, !data.isEmpty else {
      // A reader that has gone is nobody's failure.
      _ = write(data)
      return
    }
    let lines = String(decoding: data, as: UTF8.self).split(onASCII: 0x0A).map { $0.safeForDisplay }
    write(lines.joined(separator: "\n") + (lines.last?.isEmpty == true ? "" : "\n"))
  }
}

extension HTTPProbe {
  /// Fields that follow from the request itself and from its connection, which serves it alone.
  private static let ownFields = [
    "connection", "content-length", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
  ]
  /// How many bytes of standard input may be a body.
  private static let inputLimit = 8 << 20

  init(_ invocation: Invocation, _ url: HTTPURL) throws(UsageError) {
    let flags = invocation.flags
    guard !flags.bool("http1.1") || !flags.bool("http2") else {
      throw UsageError(line: "--http1.1 and --http2 exclude each other")
    }
    let fields = try Self.fields(flags.list("header"), url)
    // Before signals are taken over, so that they end a read of standard input.
    let body = flags.isGiven("data") ? try Self.data(flags.string("data")) : nil
    let waiter: Waiter
    do throws(Fault) { waiter = try Waiter(for: url.text) } catch {
      throw UsageError(line: "signals cannot be handled: \(error.detail)")
    }
    self.init(url: url, waiter: waiter)
    (self.fields, self.body) = (fields, body)
    version = flags.bool("http2") ? .http2 : flags.bool("http1.1") ? .http1 : .any
    bodyLimit = flags.integer("max-body")
    method = flags.isGiven("method") ? flags.string("method") : body == nil ? "GET" : "POST"
    if url.isSecure {
      tls = try TLSClientConfiguration(invocation, host: url.host, alpn: Self.protocols(version)).makeContext()
    } else if let flag = TLSFlags.verified.flags.first(where: { flags.isGiven($0.name) }) {
      throw UsageError(line: "--\(flag.name) needs a URL of https")
    }
    // The rules for HTTP/1.1 hold for HTTP/2 as well.
    do throws(HTTP1RequestError) { _ = try http1Request() } catch { throw UsageError(line: error.message) }
  }

  private static func fields(_ lines: [String], _ url: HTTPURL) throws(UsageError) -> [HTTP1Field] {
    var fields: [HTTP1Field] = []
    for line in lines {
      let parts = line.utf8.split(separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
      // What stands there may be a secret.
      guard parts.count == 2, !parts[0].isEmpty, let name = String(parts[0]), let value = String(parts[1]) else {
        throw UsageError(line: "a --header is no field: write 'NAME: VALUE'")
      }
      guard !ownFields.contains(name.asciiLowercased) else {
        throw UsageError(line: "\(name.quoted) follows from the request itself: leave it out")
      }
      guard !name.equalsIgnoringASCIICase("Host") || fields.first("Host") == nil else {
        throw UsageError(line: "\(name.quoted) is given twice: a request has one")
      }
      fields.append(HTTP1Field(name, value.asciiTrimmed))
    }
    return defaultFields(fields, url)
  }

  /// The fields of a request, with those that netdiag adds where they are not among them.
  static func defaultFields(_ given: [HTTP1Field], _ url: HTTPURL) -> [HTTP1Field] {
    var fields = given
    func add(_ name: String, _ value: String) {
      if fields.first(name) == nil { fields.append(HTTP1Field(name, value)) }
    }
    if let credentials = url.credentials {
      add("Authorization", "Basic " + Base64.encode(credentials.span, padded: true))
    }
    add("User-Agent", "sonde/" + sondeVersion)
    add("Accept", "*/*")
    return fields
  }

  private static func data(_ text: String) throws(UsageError) -> [UInt8] {
    guard let path = text.after("@") else { return text.systemBytes }
    if path == "-" {
      let input = StandardInput.read(limit: inputLimit + 1)
      guard input.count <= inputLimit else {
        throw UsageError(
          line: "standard input holds more than \(inputLimit) bytes, which is all that --data takes from it")
      }
      return input
    }
    do throws(SystemError) { return try Files.read(path) } catch {
      throw UsageError(line: "cannot read \(path.quoted): \(error.text)")
    }
  }
}
