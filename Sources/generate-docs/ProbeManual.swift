// SPDX-License-Identifier: Apache-2.0

import FlagDocs

/// What the probe's man page says beside its flags.
let probeManual = [
  ManSection(
    "EXIT STATUS",
    [
      .term("0", "Everything that was asked for is SERVING."),
      .term("1", "The command line, a variable or a file that they name cannot be used."),
      .term("2", "No connection came about in time, or none can."),
      .term("3", "The call failed, or took too long."),
      .term("4", "The call succeeded, and the status is not SERVING."),
      .term("20", "No SPIFFE credentials could be had."),
      .text(
        "Of several services, the most severe outcome counts: 20, 2, 3, 4, 0. With -exit-codes=docker, failure is 1."
      ),
    ]),
  ManSection(
    "OUTPUT",
    [
      .text(
        "Everything but -version, -output=json and the lines of -watch goes to standard error. A line that begins with "
          + "reason: follows each failure; it names what happened, where, and what to do."),
      .text("One check's output stays below 4096 bytes, which is what Docker keeps of it."),
    ]),
  ManSection(
    "JSON",
    [
      .text("-output=json writes one object on one line of standard output, with these members:"),
      .term("status", "the status's name, or null where there is none"),
      .term("ok, exitCode", "whether all is well, and the exit code"),
      .term(
        "address, service, services", "what was asked for; services is a list of objects where there may be several"),
      .term("error, reason", "the line and the reason of a failure"),
      .term("fault", "its code, its step, and whether it is permanent"),
      .term("timings", "milliseconds of resolve, connect, proxy, tls, settings, rpc and total, those that happened"),
      .term("truncated", "true where texts were shortened to stay within 4096 bytes"),
    ]),
  ManSection(
    "ENVIRONMENT",
    [
      .text(
        "Every flag but -version is also a variable, as named above. An empty one is as good as none; the flag wins."
      ),
      .term(
        "SSL_CERT_FILE, SSL_CERT_DIR", "where the system's roots are: a PEM file, and directories separated by colons"),
      .term("HTTPS_PROXY, NO_PROXY", "a proxy for CONNECT, and what is reached without it; loopback always is"),
      .term("SPIFFE_ENDPOINT_SOCKET", "the Workload API's socket: unix:///PATH or tcp://IP:PORT"),
      .term("GRPC_ENFORCE_ALPN_ENABLED", "false accepts a TLS server that does not choose h2 by ALPN"),
      .term(
        "GRPC_GO_LOG_SEVERITY_LEVEL, GRPC_GO_LOG_VERBOSITY_LEVEL",
        "error, warning or info switches a log of the transport on; info with a verbosity of 2 or more tells each frame"
      ),
    ]),
  ManSection(
    "EXAMPLES",
    [
      .code("grpc_health_probe -addr=:50051"),
      .code("grpc_health_probe -addr=user-service:50051 -tls -tls-ca-cert=/certs/ca.pem -service=user.v1.UserService"),
      .code("grpc_health_probe -addr=unix:/run/app.sock -wait=30s"),
      .code("HEALTHCHECK --interval=5s --timeout=3s CMD [\"grpc_health_probe\", \"-addr=:50051\", \"-timeout=2s\"]"),
    ]),
]
