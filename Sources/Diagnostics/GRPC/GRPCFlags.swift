// SPDX-License-Identifier: Apache-2.0

internal import Flags

/// The flags of the commands that speak gRPC, by the names that people know from grpcurl.
enum GRPCFlags {
  /// How the server is reached.
  static let connection = FlagGroup(
    "The connection",
    [
      Flag("plaintext", .bool, summary: "connect without TLS", hasEnvironment: false),
      Flag(
        "tls", .bool, summary: "connect with TLS",
        details: "Where neither this nor --plaintext is given, the port is asked what it speaks.",
        hasEnvironment: false),
      Flag(
        "unix", .bool, summary: "take the target for the path of a Unix socket",
        details: "Targets that begin with unix: need no flag.", hasEnvironment: false),
      Flag(
        "authority", .string, "NAME", summary: "what the server is called in requests (`:authority`)",
        details: "With TLS, it is also the name in the certificate, unless --servername says otherwise.",
        hasEnvironment: false),
      Flag("user-agent", .string, "TEXT", summary: "put this before our own name", hasEnvironment: false),
      Flag(
        "connect-timeout", .seconds, "DURATION", default: "10s", summary: "time until the connection stands",
        details: "A number alone is of seconds.", hasEnvironment: false),
      Flag(
        "max-msg-sz", .integer(1...(1 << 30)), "BYTES", default: "4194304", summary: "the largest message to take",
        hasEnvironment: false),
    ] + TLSFlags.verified.flags)

  /// How long a command may take.
  static let time = FlagGroup(
    "Time",
    [
      Flag(
        "max-time", .seconds, "DURATION", summary: "time for everything; servers are told it as the deadline",
        details: "A number alone is of seconds. There is no bound unless this is given.", hasEnvironment: false)
    ])

  /// Metadata of all calls, and of those that ask for schemas.
  static let metadata = FlagGroup(
    "Metadata",
    [
      Flag(
        "header", .list, "'NAME: VALUE'", summary: "metadata of every call; may be given more than once",
        details: "The value of a name that ends in -bin is base64. Metadata goes to another machine over TLS alone, "
          + "unless --plaintext is given.", hasEnvironment: false, short: "H"),
      Flag(
        "rpc-header", .list, "'NAME: VALUE'", summary: "metadata of the call itself alone", hasEnvironment: false),
      Flag(
        "reflect-header", .list, "'NAME: VALUE'", summary: "metadata of the questions for schemas alone",
        hasEnvironment: false),
    ])

  /// Where schemas come from.
  static let schemas = FlagGroup(
    "Schemas",
    [
      Flag(
        "protoset", .list, "FILE", summary: "take schemas from this descriptor set and not from the server",
        details: "protoc --include_imports --descriptor_set_out makes one. May be given more than once.",
        hasEnvironment: false),
      Flag(
        "proto", .list, "FILE", summary: "take schemas from this .proto file and not from the server",
        details: "The name is that by which others import it. May be given more than once. The files of "
          + "google/protobuf, google/rpc and google/api need not be there.", hasEnvironment: false),
      Flag(
        "import-path", .list, "FOLDER", summary: "look for .proto files here and not in the present folder",
        details: "May be given more than once.", hasEnvironment: false, short: "I"),
    ])
}
