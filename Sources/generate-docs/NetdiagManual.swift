// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import FlagDocs

/// netdiag as its documents show it.
let netdiagCommands = CommandSet(
  tool: "netdiag", summary: Netdiag.summary,
  commands: Netdiag.commands.map { .init($0.name, $0.flags, completesOperands: $0.completesOperands) },
  shared: Netdiag.sharedFlags)

/// What netdiag's man page says beside its commands and flags.
let netdiagManual = [
  ManSection(
    "EXIT STATUS",
    [
      .term("0", "All is well."),
      .term("1", "A problem was found; with --strict, a warning is one."),
      .term("2", "The command line cannot be used."),
      .term("3", "It could not be determined: what it takes to know is missing or forbidden. The output names it."),
      .term("64 + N", "grpc call: the call has ended with the status of code N, such as 69 for NOT_FOUND."),
    ]),
  ManSection(
    "OUTPUT",
    [
      .text(
        "Each line begins with what it amounts to: ok, note, warn, FAIL, or ? for what could not be determined. What "
          + "belongs to a line is indented below it. Everything goes to standard output, but for what is wrong with "
          + "the command line. Colour is used on a terminal only, and not where NO_COLOR is set or TERM is dumb."),
      .text(
        "With --json there is one document instead. Its schema is 1; keys are added, never changed. They are the same "
          + "whatever came of the run: what is not known is null."),
    ]),
  ManSection(
    "PRIVILEGES",
    [
      .text(
        "None are needed. Where one is missing that would have shown more, such as CAP_SYS_PTRACE for the processes of "
          + "another user, the output says which.")
    ]),
  ManSection(
    "EXAMPLES",
    [
      .code("netdiag listeners 50051"),
      .code("netdiag net --same-network user-service"),
      .code("netdiag grpc call -plaintext localhost:50051 pb.Greeter/SayHello -d '{\"name\": \"Docker\"}'"),
      .code("docker run --rm --network container:NAME sonde/netdiag listeners"),
    ]),
]
