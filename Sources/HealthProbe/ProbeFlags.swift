// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Flags

// HealthProbe: the engine of grpc_health_probe — its flags, its checks in their order, and its output, which is a
// contract.

/// The probe's flags. The first four groups are those of the tool that it takes the place of; the rest is new.
public let probeFlags = FlagTable(
  tool: "grpc_health_probe",
  summary: "Checks the health of a gRPC server by grpc.health.v1 and says why where it is not healthy",
  environmentPrefix: "GRPC_HEALTH_PROBE_",
  groups: [
    FlagGroup(
      "The check",
      [
        Flag(
          "addr", .string, "ADDRESS",
          summary:
            "server to check: HOST:PORT, :PORT, unix:PATH, unix-abstract:NAME, dns:///HOST or passthrough:///HOST:PORT",
          details: "`:PORT` is this machine. An IPv6 address stands in brackets."),
        Flag(
          "service", .string, "NAME", summary: "service to ask for; empty is the server as a whole",
          details: "A name as it was registered with the server's health service, such as `user.v1.UserService`."),
        Flag("user-agent", .string, "NAME", default: "grpc_health_probe", summary: "what the probe calls itself"),
        Flag(
          "connect-timeout", .duration, "DURATION", default: "1s",
          summary: "time for the connection: name, TCP, proxy, TLS and the server's HTTP/2 SETTINGS",
          details: "Refusals and the like are tried again within it, every few tens of milliseconds."),
        Flag("rpc-timeout", .duration, "DURATION", default: "1s", summary: "time for the call itself"),
        Flag(
          "rpc-header", .list, "'NAME: VALUE'", summary: "metadata to send; may be given more than once",
          details:
            "The value of a name that ends in `-bin` is sent in base64. Secrets are better kept in -rpc-header-file."),
        Flag("gzip", .bool, summary: "compress the request"),
      ]),
    FlagGroup(
      "TLS",
      [
        Flag("tls", .bool, summary: "use TLS"),
        Flag("tls-no-verify", .bool, summary: "do not verify the server's certificate (insecure)"),
        Flag("tls-ca-cert", .string, "FILE", summary: "PEM file of the CAs to trust instead of the system's"),
        Flag("tls-client-cert", .string, "FILE", summary: "PEM file of the client certificate, with its chain"),
        Flag("tls-client-key", .string, "FILE", summary: "PEM file of the client certificate's key"),
        Flag(
          "tls-server-name", .string, "NAME",
          summary: "name to send (SNI), to verify, and to call the server by (:authority)"),
        Flag("alts", .bool, summary: "refused: ALTS works on Google's own machines only, and is not part of this tool"),
        Flag(
          "spiffe", .bool, summary: "use mutual TLS with an X.509-SVID from the SPIFFE Workload API",
          details: "The API's socket is named by SPIFFE_ENDPOINT_SOCKET. -rpc-timeout bounds the wait for it."),
      ]),
    FlagGroup(
      "Output",
      [
        Flag("v", .bool, summary: "tell each step on standard error"),
        Flag("version", .bool, summary: "print the version and the linked libraries", hasEnvironment: false),
        Flag(
          "output", .choice(["text", "json"]), "FORMAT", default: "text",
          summary: "json adds one object on standard output", details: "See JSON below."),
        Flag(
          "exit-codes", .choice(["probe", "docker"]), "SET", default: "probe",
          summary: "docker knows 0 and 1 alone", details: "See EXIT STATUS below."),
      ]),
    FlagGroup(
      "More than one check",
      [
        Flag("services", .string, "NAME,NAME…", summary: "services to ask for, separated by commas"),
        Flag("all", .bool, summary: "ask for every service that the server lists, or the server as a whole"),
        Flag(
          "wait", .duration, "DURATION", summary: "try again until everything is SERVING, for so long at most",
          details: "Refusals, unknown names and unknown services are normal meanwhile; a wrong certificate is not."),
        Flag("watch", .bool, summary: "print a line at each change of the status, until a signal comes"),
        Flag("connect-only", .bool, summary: "stop once the connection stands; make no call"),
      ]),
    FlagGroup(
      "Limits and details",
      [
        Flag("timeout", .duration, "DURATION", summary: "time for everything together"),
        Flag("fail-fast", .bool, summary: "do not try again where the connection is refused"),
        Flag("authority", .string, "NAME", summary: "name to call the server by (:authority), whatever -addr is"),
        Flag("no-proxy", .bool, summary: "connect directly, whatever HTTPS_PROXY says"),
        Flag(
          "tls-min-days", .integer(1...36_500), "DAYS",
          summary: "fail where the server's certificate expires in fewer days"),
        Flag(
          "rpc-header-file", .string, "FILE", summary: "file of metadata to send, one 'NAME: VALUE' a line",
          details: "Empty lines and lines that begin with # are passed over."),
      ]),
  ], required: "-addr=ADDRESS")

/// What `-rpc-header` and its file take: the part before the first colon is the name.
package func splitHeader(_ text: String) -> (name: String, value: String)? {
  guard let colon = text.utf8.firstIndex(of: 0x3A) else { return nil }
  var value = Substring(text[colon...]).utf8.dropFirst()
  while let first = value.first, first == 0x20 || (0x09...0x0D).contains(first) { value.removeFirst() }
  return (String(text[..<colon]).asciiLowercased, String(Substring(value)))
}
