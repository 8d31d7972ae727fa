// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A stable code with what causes it and what cures it. Codes are added, never changed.
public struct Diagnosis: Sendable {
  /// The code, as in JSON.
  public let code: String
  /// What it says, in a sentence without a full stop.
  public let meaning: String
  /// What may be behind it, the likeliest first.
  public let causes: [String]
  /// What to do.
  public let cure: String
  /// The command that settles what is still open; empty where nothing is.
  public let next: String

  init(_ code: String, _ meaning: String, causes: [String], cure: String, next: String = "") {
    (self.code, self.meaning, self.causes, self.cure, self.next) = (code, meaning, causes, cure, next)
  }

  /// The diagnosis of a code, in capitals or not, with dashes or underscores; nil where there is none.
  static func named(_ text: String) -> Diagnosis? {
    let wanted = text.utf8.map { byte in
      byte == 0x2D ? 0x5F : (0x61...0x7A).contains(byte) ? byte & ~0x20 : byte
    }
    return all.first { $0.code.utf8.elementsEqual(wanted) }
  }

  /// Writes the diagnosis for people.
  func write(to output: inout TextOutput) {
    output.plain("\(code): \(meaning)\n\ncauses, the likeliest first")
    for cause in causes { output.plain("  - " + cause) }
    output.plain("\ncure\n  " + cure)
    if !next.isEmpty { output.plain("\nto be sure\n  " + next) }
  }

  /// Every diagnosis that a command makes, from the name to the answer.
  public static let all: [Diagnosis] = [
    Diagnosis(
      "OK", "all is as it should be",
      causes: ["what was asked for was found in order"], cure: "nothing is to be done"),
    Diagnosis(
      "BAD_TARGET", "the target cannot be read",
      causes: ["it is not of the form HOST:PORT", "a scheme or a port is missing or misspelt"],
      cure: "write it as the command's help has it"),
    Diagnosis(
      "NO_IDENTITY", "there is no identity to show",
      causes: ["the Workload API's socket is not there", "the workload is not registered"],
      cure: "set SPIFFE_ENDPOINT_SOCKET to the socket, and register the workload"),

    // Names.
    Diagnosis(
      "DNS_NXDOMAIN", "the name does not exist",
      causes: [
        "the name is misspelt", "on Docker: the container is not on this network, has another name, or is stopped",
        "on Kubernetes: the service is in another namespace",
      ],
      cure: "use the name of a container or service on the same network", next: "netdiag dns NAME"),
    Diagnosis(
      "DNS_NO_ADDRESS", "the name exists and has no address",
      causes: ["it has addresses of another family only", "it is an alias that leads nowhere"],
      cure: "add an A or AAAA record, or use the name that has one", next: "netdiag dns NAME"),
    Diagnosis(
      "DNS_UNREACHABLE", "no name server gave an answer",
      causes: [
        "none is reached: the network, or a firewall", "on a Docker network without a way out: the name is not of it",
        "the server's own upstream fails",
      ],
      cure: "check /etc/resolv.conf and the way to its servers", next: "netdiag dns NAME"),
    Diagnosis(
      "DNS_TIMEOUT", "no name server answered in time",
      causes: [
        "a firewall drops the packets", "the server is overloaded", "/etc/resolv.conf names a server that is gone",
      ],
      cure: "name a server that answers in /etc/resolv.conf", next: "netdiag dns NAME"),
    Diagnosis(
      "DNS_SERVFAIL", "the name server could not find out",
      causes: [
        "the servers that it asks in turn fail", "on a Docker network without a way out: the name is not of it",
        "the zone's signatures are wrong",
      ],
      cure: "ask another server, or mend the one behind it", next: "netdiag dns NAME --server ADDR"),
    Diagnosis(
      "DNS_REFUSED", "the name server refuses to answer this client",
      causes: ["its rules leave this network out", "it answers for its own zones alone"],
      cure: "name a server in /etc/resolv.conf that is meant for this network", next: "netdiag dns NAME --server ADDR"),
    Diagnosis(
      "DNS_DISAGREE", "the name servers, or the hosts file and they, do not say the same",
      causes: [
        "the servers know different networks", "one of them keeps an old answer",
        "the addresses take turns, which is meant so", "the hosts file has an old line",
      ],
      cure: "name servers that know the same in /etc/resolv.conf, or mend the hosts file", next: "netdiag dns NAME"),
    Diagnosis(
      "DNS_FAILED", "the look-up failed on this machine",
      causes: ["no thread or descriptor is left", "the C library's resolver refuses the name"],
      cure: "check the limits of the container", next: "netdiag net"),

    // TCP.
    Diagnosis(
      "NOT_LISTENING", "nothing listens on the port",
      causes: [
        "the server has not started, or has ended", "it listens on another port", "it listens in another container",
      ],
      cure: "start the server on this port, or use the port that it has", next: "netdiag listeners"),
    Diagnosis(
      "LOCALHOST_ONLY", "the server listens for this machine or container alone",
      causes: ["it is told to listen on localhost or 127.0.0.1, which in a container is the container itself"],
      cure: "let it listen on 0.0.0.0 or [::]"),
    Diagnosis(
      "ACCEPT_QUEUE_FULL", "more connections wait than the server's queue holds",
      causes: ["the server hangs, or is too busy to accept", "the backlog is too small for bursts"],
      cure: "find out why the server does not accept; from outside it looks like a firewall",
      next: "netdiag listeners PORT"),
    Diagnosis(
      "TCP_REFUSED", "the connection is refused",
      causes: [
        "nothing listens on the port", "the server listens on localhost only",
        "a firewall answers as if nothing did (a RST cannot be told apart)",
      ],
      cure: "start the server, or let it listen on 0.0.0.0 or [::]", next: "netdiag listeners PORT, beside the server"),
    Diagnosis(
      "TCP_FILTERED", "a firewall or a router rejects the connection, and says so",
      causes: ["a rule of the sender's that ICMP names", "a network policy"],
      cure: "allow the connection at the address that rejects it",
      next: "netdiag tcp HOST:PORT --traceroute"),
    Diagnosis(
      "TCP_TIMEOUT", "nothing comes back",
      causes: [
        "a firewall drops the packets", "the address is on another Docker network",
        "the server's queue is full, and it does not accept",
      ],
      cure: "put both on one network, or allow the connection", next: "netdiag listeners PORT, beside the server"),
    Diagnosis(
      "TCP_FAILED", "connecting failed for another reason",
      causes: ["the kernel's reason is in the text"], cure: "see the reason"),
    Diagnosis(
      "HOST_DOWN", "nobody has that address",
      causes: ["the container or host is stopped", "it is on another network", "the address is out of date"],
      cure: "start it, or look its address up anew", next: "netdiag net --same-network HOST"),
    Diagnosis(
      "NO_ROUTE", "no route leads to the address",
      causes: ["the network is not attached", "there is no default route, or no IPv6"],
      cure: "attach the network, or use an address that a route leads to", next: "netdiag net"),
    Diagnosis(
      "FORBIDDEN_LOCALLY", "this machine itself forbids the connection",
      causes: [
        "a firewall rule for outgoing packets", "a route of the kind prohibit or blackhole",
        "a Unix socket's permissions",
      ],
      cure: "change the rule, the route or the permissions", next: "netdiag net"),
    Diagnosis(
      "FD_LIMIT", "no descriptor is left",
      causes: ["the process or the system has as many open as it may"],
      cure: "raise the limit on open files, or close some", next: "netdiag net"),
    Diagnosis(
      "EPHEMERAL_PORTS_EXHAUSTED", "no local port or address is left to connect from",
      causes: [
        "as many connections to the target are open as there are local ports", "the address family is switched off",
      ],
      cure: "reuse connections, widen net.ipv4.ip_local_port_range, or use another family", next: "netdiag net"),
    Diagnosis(
      "ACCEPTED_THEN_CLOSED", "the connection is accepted and over at once",
      causes: [
        "a published port of Docker's: its proxy accepts, and nobody listens in the container",
        "the server turns this client away, or is going down", "the server waits for TLS, or for another protocol",
      ],
      cure: "start the server in the container, and let it listen on 0.0.0.0 or [::]",
      next: "netdiag listeners PORT, beside the server"),
    Diagnosis(
      "CONNECTION_LOST", "the connection broke",
      causes: ["the server or a proxy went down", "an idle connection was cut off on the way"],
      cure: "see the server's log; keepalive finds such connections early",
      next: "netdiag tcp HOST:PORT --count=20"),
    Diagnosis(
      "PROXY_IN_THE_WAY", "a proxy stands in the way",
      causes: ["HTTPS_PROXY names a proxy that cannot be reached, or that refuses the target"],
      cure: "name the target in NO_PROXY, or correct the proxy", next: "netdiag net"),

    // TLS.
    Diagnosis(
      "TLS_TO_PLAINTEXT", "the server speaks no TLS",
      causes: ["it is the port without TLS", "TLS is not switched on at the server"],
      cure: "connect without TLS, or use the port that speaks it",
      next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "PLAINTEXT_TO_TLS", "the server speaks TLS, and the client does not",
      causes: ["the client was told to connect in plaintext"], cure: "connect with TLS",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "TLS_TIMEOUT", "the TLS handshake takes too long",
      causes: ["the port speaks another protocol, and waits", "the server hangs or is overloaded"],
      cure: "check the port and the server",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "TLS_CLOSED", "the server hangs up in the TLS handshake",
      causes: ["it speaks no TLS", "it refuses this client, without a word why"], cure: "see the server's log",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "TLS_HANDSHAKE", "the TLS handshake fails",
      causes: ["no version or cipher suits both sides", "the server refuses the name that it is asked for"],
      cure: "allow TLS 1.2 or 1.3 at the server; its log says why it refuses",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_EXPIRED", "the certificate is out of date",
      causes: ["it was not renewed", "it was renewed, and the server has not loaded it"],
      cure: "renew it, and let the server load it",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_EXPIRES_SOON", "the certificate is valid for a few days only",
      causes: ["the renewal has not run yet, or fails"], cure: "renew it in time",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_NOT_YET_VALID", "the certificate is not valid yet",
      causes: ["a clock is wrong, here or where it was issued"], cure: "set both clocks",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_HOSTNAME", "the certificate is for other names",
      causes: ["the name that was asked for is not among its subject alternative names", "it has none at all"],
      cure: "use one of its names, or issue one for this name",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_UNTRUSTED", "the certificate's issuer is not trusted",
      causes: [
        "a private authority that was not given", "the server does not send its intermediate certificates",
        "there is no CA store in this image", "it signed itself",
      ],
      cure: "give the authority, or let the server send the whole chain",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_WEAK", "the certificate is too weak",
      causes: ["its key is too small", "it is signed with SHA-1 or MD5"],
      cure: "issue one with a stronger key and signature",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CERT_INVALID", "the certificate is not one for this use",
      causes: ["its extended key usage lacks serverAuth", "its signature does not fit its issuer"],
      cure: "issue one for servers",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "CLIENT_CERT_REQUIRED", "the server wants a client certificate",
      causes: ["none was given", "the one that was given is of another authority, or out of date"],
      cure: "give one of an authority that the server names",
      next: "netdiag tls HOST:PORT"),
    Diagnosis(
      "ALPN_MISSING", "the server does not choose h2 by ALPN",
      causes: ["HTTP/2 is not switched on", "a proxy ends TLS and speaks HTTP/1.1"],
      cure: "switch HTTP/2 on where TLS ends: gRPC clients refuse a server without it",
      next: "netdiag tls HOST:PORT"),

    // HTTP/1.1.
    Diagnosis(
      "HTTP_STATUS", "the server answers, and its status is an error",
      causes: [
        "404: the path, or the host by which a proxy chooses", "401 and 403: credentials",
        "502 and 503: the server behind a proxy is not there", "500: the server itself, whose log says why",
      ],
      cure: "see what the status and the page say"),
    Diagnosis(
      "NOT_HTTP1", "the server speaks no HTTP/1.1",
      causes: ["it is a gRPC server, which speaks HTTP/2 alone", "it is the port of something else"],
      cure: "ask it in HTTP/2, or use another port", next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "HTTP1_PROTOCOL_ERROR", "a rule of HTTP/1.1 is broken",
      causes: ["a faulty server or proxy", "something that answers as if it were HTTP"],
      cure: "see which of the two; connect without the proxy to tell"),

    Diagnosis(
      "INADEQUATE_SECURITY", "the cipher suite is one that HTTP/2 forbids",
      causes: ["the server prefers suites of TLS 1.2 without authenticated encryption, or without forward secrecy"],
      cure: "let it speak TLS 1.3, or offer ECDHE suites with GCM or ChaCha20 first", next: "netdiag tls HOST:PORT"),

    // HTTP/2 and gRPC.
    Diagnosis(
      "NOT_HTTP2", "the server speaks no HTTP/2",
      causes: ["it is the port of something else", "a proxy speaks HTTP/1.1"],
      cure: "use the port that speaks gRPC, or switch HTTP/2 on",
      next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "NO_SETTINGS", "the connection stands, and the server says nothing",
      causes: ["the server hangs", "it waits for TLS"], cure: "check the server, or connect with TLS",
      next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "H2_GOAWAY", "the server ends the connection by GOAWAY",
      causes: [
        "it is going down", "the connection has reached its age", "a rule of the server's: its code says which",
      ],
      cure: "connect anew", next: "netdiag http2 HOST:PORT --idle 1m"),
    Diagnosis(
      "TOO_MANY_PINGS", "the server ends the connection because of keepalives",
      causes: [
        "the client sends PINGs more often than the server permits, which is every 5 minutes by default",
        "it sends them while there is no call",
      ],
      cure: "raise the client's keepalive time, or let the server permit PINGs that often, and without calls",
      next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "H2_RST_STREAM", "the server cuts a stream off by RST_STREAM",
      causes: [
        "a proxy gives up the call: its upstream is gone, or its time is over",
        "the server takes no more streams, or refuses the request",
      ],
      cure: "see the log of the server, and of the proxy before it", next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "H2_COMPRESSION_ERROR", "the two ends do not agree on the state of header compression",
      causes: ["a proxy that mixes connections up", "a faulty server or client"],
      cure: "connect without the proxy to tell which it is",
      next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "H2_UNANSWERED", "the server speaks HTTP/2, and leaves SETTINGS or PING without an answer",
      causes: ["it hangs after its first words", "it is no whole HTTP/2 server"],
      cure: "check the server: clients with keepalives will take it for dead", next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "H2_PROTOCOL_ERROR", "a rule of HTTP/2 is broken",
      causes: ["a faulty proxy or server"], cure: "see which of the two; connect without the proxy to tell",
      next: "netdiag http2 HOST:PORT"),
    Diagnosis(
      "DEADLINE_EXPIRED", "the call takes too long",
      causes: ["the server is overloaded or hangs", "the deadline is too short"],
      cure: "see the server's load and log",
      next: "netdiag health HOST:PORT --timeout=30s"),
    Diagnosis(
      "MESSAGE_TOO_LARGE", "a message is larger than one end takes",
      causes: [
        "the receiver's limit, 4 MiB by default, is lower than the message", "a list that should come in pages",
      ],
      cure: "raise the receiver's limit, or send less at once"),
    Diagnosis(
      "GRPC_UNIMPLEMENTED", "the server does not know the method",
      causes: ["the service is not registered", "it is another server, or another version"],
      cure: "register grpc.health.v1.Health, or call what the server has",
      next: "netdiag health HOST:PORT --all"),
    Diagnosis(
      "METHOD_UNIMPLEMENTED", "the server has the service, and not the method",
      causes: ["the server is of an older version than the client", "the method's name is misspelt"],
      cure: "deploy the server's version that has the method, or call one that it has"),
    Diagnosis(
      "REFLECTION_MISSING", "the server does not tell its schemas",
      causes: ["reflection is not switched on", "a proxy passes on only the services that it knows"],
      cure: "switch reflection on, or give the schemas as a file", next: "netdiag grpc list --protoset=FILE"),
    Diagnosis(
      "REFLECTION_FAILED", "the server does not tell its schemas rightly",
      causes: ["it refuses who asks: the status says so", "its reflection is faulty"],
      cure: "give credentials with --reflect-header, or the schemas as a file",
      next: "netdiag grpc list --protoset=FILE"),
    Diagnosis(
      "SYMBOL_NOT_FOUND", "no schema has the name",
      causes: ["it is misspelt, or without its package", "the server does not have the service"],
      cure: "list what there is", next: "netdiag grpc list HOST:PORT"),
    Diagnosis(
      "SCHEMA_INVALID", "schemas do not fit together",
      causes: ["a file that others import is missing", "files of different versions are mixed"],
      cure: "make the set with protoc --include_imports; at a server, register all files"),
    Diagnosis(
      "SCHEMA_INCOMPATIBLE", "programs of two schemas do not understand each other",
      causes: ["a number, a name or a type was changed", "something was removed and its number not reserved"],
      cure: "leave what is there as it is, add beside it, and reserve what goes"),
    Diagnosis(
      "REQUEST_INVALID", "the request is not what the method takes",
      causes: ["a field's name or type is wrong", "it is no JSON"],
      cure: "see what the message has", next: "netdiag grpc describe HOST:PORT MESSAGE"),
    Diagnosis(
      "RESPONSE_INVALID", "an answer is not what the method gives",
      causes: ["the server is of another version of the schema"],
      cure: "take the schema from the server itself, or bring its file up to date",
      next: "netdiag grpc diff FILE HOST:PORT"),
    Diagnosis(
      "GRPC_FAILED", "the call fails with a status",
      causes: ["the status and its message say what"], cure: "see the message and the server's log",
      next: "netdiag health HOST:PORT --all"),
    Diagnosis(
      "NOT_SERVING", "the server says that it is not well",
      causes: ["its own checks fail, such as its database", "it is starting, or draining"],
      cure: "see the server's log",
      next: "netdiag health HOST:PORT --all"),

    Diagnosis(
      "ONE_BACKEND", "each connection stays with one of several servers: a client with one connection meets one",
      causes: [
        "what balances looks at connections, and a gRPC client keeps one for all of its calls",
        "the client takes the first of the name's addresses (pick_first)",
      ],
      cure: "balance calls: by a proxy of HTTP/2, or in the client by round_robin over all servers' addresses",
      next: "netdiag balance HOST:PORT --calls=100"),

    // Between here and there.
    Diagnosis(
      "MESH_SIDECAR", "a proxy of this place takes the connections over, and what it says is not the server's",
      causes: [
        "the sidecar of a service mesh cannot reach the server, or must not",
        "the sidecar and the server do not agree on TLS",
        "a rule of the firewall here redirects connections to a local process",
      ],
      cure: "see the sidecar's log and the mesh's policies, or connect from where no sidecar is",
      next: "netdiag listeners"),
    Diagnosis(
      "MTU_BLACKHOLE", "small packets arrive, large ones do not",
      causes: [
        "a tunnel or an overlay on the way takes smaller packets, and the ICMP that would say so is dropped",
        "an interface has a larger MTU than the network behind it",
      ],
      cure: "lower the MTU here to that of the way, or let ICMP \"fragmentation needed\" through", next: "netdiag net"),

    // Here.
    Diagnosis(
      "SAME_NETWORK", "packets reach the host without a gateway",
      causes: ["one of its addresses is on a network of an interface"], cure: "nothing is to be done"),
    Diagnosis(
      "NOT_SAME_NETWORK", "packets to the host go through a gateway, or nowhere",
      causes: ["the container is on another Docker network", "the address is out of date"],
      cure: "attach both to one network", next: "netdiag net"),
    Diagnosis(
      "NO_ADDRESS", "this place has no address that others could use",
      causes: ["the container has no network (--network none)", "the network is not attached yet"],
      cure: "attach a network", next: "netdiag net"),
    Diagnosis(
      "NO_DEFAULT_ROUTE", "only the own networks can be reached",
      causes: ["a Docker network without a way out (--internal)", "a route that is missing"],
      cure: "attach a network that has a gateway, if there is to be a way out", next: "netdiag net"),
    Diagnosis(
      "MTU_LOWER", "an interface takes smaller packets than the others",
      causes: ["a tunnel or an overlay network, whose headers take room"],
      cure: "where large messages hang and small ones do not, lower the MTU of the others to it", next: "netdiag net"),
    Diagnosis(
      "NO_NAMESERVER", "no name server is named",
      causes: ["/etc/resolv.conf is empty or missing"], cure: "name one: without it, this machine itself is asked",
      next: "netdiag net"),
    Diagnosis(
      "NO_CA_STORE", "there are no certificates of authorities",
      causes: ["the image was made from scratch, without ca-certificates"],
      cure: "copy a bundle to /etc/ssl/certs/ca-certificates.crt, or give a CA file", next: "netdiag net"),
    Diagnosis(
      "SYSTEM_FAILURE", "this machine failed",
      causes: ["no memory, descriptor or thread is left"], cure: "check the limits of the container",
      next: "netdiag net"),
    Diagnosis(
      "CANCELLED", "a signal ended the run", causes: ["SIGINT or SIGTERM"], cure: "run it again"),
    Diagnosis(
      "UNDETERMINED", "it could not be determined",
      causes: ["a permission or a part of the system is missing: the text names it"],
      cure: "run it where the permission is there"),
  ]
}
