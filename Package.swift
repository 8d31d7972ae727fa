// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// One manifest serves both forms of the house. The ordinary form builds everything, tests included. The Embedded form
// (SONDE_EMBEDDED=1, with a scratch path of its own) builds the tools alone, as the fully static files that are
// released. An environment variable and not a package trait: a trait's settings would leak into the link of ordinary
// builds.
let embedded = Context.environment["SONDE_EMBEDDED"] == "1"

/// Fuzzing (SONDE_FUZZ=1, with a scratch path of its own) instruments everything and adds the fuzzer's executable.
let fuzzing = Context.environment["SONDE_FUZZ"] == "1"

/// A released service (SONDE_RELEASE=1) needs neither tests nor developers' tools: an image is built without their
/// sources.
let releasing = Context.environment["SONDE_RELEASE"] == "1"

/// The commit that `-version` names. Set by the release build alone, so that a commit rebuilds nothing in daily work.
let commit = Context.environment["SONDE_COMMIT"].flatMap { $0.isEmpty ? nil : $0 }

let common: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  // All C headers must be read with the same feature macro, or one struct has two shapes.
  .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
]

/// Settings of the services' side. An async function runs where its caller runs unless it says otherwise: each that
/// would leave for a place of its own costs the look for it, and a call passes through a handful.
let services = common + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// Settings of everything that the tools link: the same sources compile as ordinary and as Embedded Swift.
let tools =
  common + [.strictMemorySafety()]
  + (embedded
    ? [
      .enableExperimentalFeature("Embedded"),
      .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"]),
    ] : [])
  + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : [])

/// A pure or driving part of the tools' side, with the parts below it.
func part(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: tools)
}

func tests(_ module: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: module + "Tests", dependencies: [.byName(name: module), "TestSupport"] + dependencies,
    swiftSettings: common)
}

/// A part of the services' side: ordinary server-side Swift on its ecosystem's packages.
func service(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: services)
}

/// A module of SwiftNIO.
func nio(_ module: String) -> Target.Dependency { .product(name: module, package: "swift-nio") }

/// A program of the services' side, or for developers.
func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: services)
}

/// What each executable links in addition where it is one static file: the reason is in the target's header.
let staticParts: [Target.Dependency] = embedded ? ["CLeanOpenSSL"] : []

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let swiftProtobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")

var targets: [Target] = [
  // Floor 0: C libraries, the operating system's C interface, and the bytes that everybody handles.
  .systemLibrary(name: "CNghttp2", pkgConfig: embedded ? nil : "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
  .systemLibrary(name: "COpenSSL", pkgConfig: embedded ? nil : "openssl", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CZlib", pkgConfig: embedded ? nil : "zlib", providers: [.apt(["zlib1g-dev"])]),
  .systemLibrary(name: "CMnl", pkgConfig: embedded ? nil : "libmnl", providers: [.apt(["libmnl-dev"])]),
  .target(name: "CLinux", cSettings: commit.map { [.define("SONDE_COMMIT", to: "\"\($0)\"")] } ?? []),
  part("Bytes"),

  // Floor 1: pure parts, and the operating system.
  part("HTTP2", ["CNghttp2"]),
  part("TLS", ["COpenSSL", "Bytes"]),
  part("Crypto", ["COpenSSL"]),
  part("Gzip", ["CZlib"]),
  part("JSON"),
  part("Protobuf", ["Bytes", "JSON"]),
  part("DNS", ["Bytes"]),
  part("HTTP1", ["Bytes"]),
  part("Flags", ["Bytes"]),
  part("Sys", ["CLinux", "Bytes"]),
  part("Netlink", ["CMnl", "Bytes"]),

  // Floor 2: pure meaning.
  part("GRPC", ["Bytes", "Gzip", "HTTP2", "JSON"]),
  part("Health", ["Protobuf"]),
  part("Reflection", ["Protobuf"]),
  part("Sniff", ["Bytes", "TLS"]),
  part("Fault", ["Bytes", "Sniff", "TLS"]),
  part("Transcoding", ["Bytes", "GRPC", "JSON", "Protobuf"]),

  // Floor 3: the driver that blocks, and the engine that it serves.
  part("BlockingClient", ["Bytes", "Fault", "GRPC", "HTTP2", "Sys", "TLS"]),
  part(
    "HealthProbe",
    ["BlockingClient", "Bytes", "Fault", "Flags", "GRPC", "Gzip", "HTTP2", "Health", "JSON", "Protobuf", "Sys", "TLS"]),

  part(
    "Diagnostics",
    [
      "BlockingClient", "Bytes", "Crypto", "DNS", "Fault", "Flags", "GRPC", "Gzip", "HTTP1", "HTTP2", "Health",
      "HealthProbe", "JSON", "Netlink", "Protobuf", "Reflection", "Sniff", "Sys", "TLS",
    ]),

  // Floor 4: executables.
  .executableTarget(name: "netdiag", dependencies: ["Diagnostics", "Sys"] + staticParts, swiftSettings: tools),
  .executableTarget(
    name: "grpc_health_probe", dependencies: ["HealthProbe", "Sys"] + staticParts, swiftSettings: tools),
]

if embedded {
  targets.append(.target(name: "CLeanOpenSSL"))
} else {
  targets += [
    // The services' side. Floors 0 and 1: SQLite, and the messages that SwiftProtobuf made of Protos/.
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    service("SQLite", ["CSQLite"]),
    service("Schemas", ["Bytes", swiftProtobuf]),

    // Floor 2: the reference services' data.
    service("UserStore", ["Bytes", "Crypto", "SQLite", "Schemas", swiftProtobuf]),

    // Floor 3: drivers on SwiftNIO, and what operators see.
    service("NIOTransport", ["HTTP2", "TLS", nioCore, nioPosix]),
    service("GRPCMethods", ["GRPC", "Protobuf", nioCore, swiftProtobuf]),
    service(
      "Telemetry",
      ["Bytes", "GRPC", "JSON", "Protobuf", "Sys", nioCore, nioHTTP1, nioPosix, coreMetrics, logging, tracing]),
    service(
      "GRPCServer",
      [
        "GRPC", "GRPCMethods", "HTTP2", "Health", "NIOTransport", "Reflection", "TLS", nioCore, nioHTTP1, nioPosix,
        logging,
      ]),
    service(
      "GRPCClient",
      [
        "Bytes", "Fault", "GRPC", "GRPCMethods", "HTTP2", "Health", "NIOTransport", "Sys", "TLS", nioCore, nioPosix,
        logging,
      ]),
    service("InProcess", ["GRPCClient", "GRPCServer"]),
    service("Interop", ["GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "Schemas", nioCore, swiftProtobuf]),

    // Floor 4: what every service needs beside its methods.
    service(
      "ServiceKit",
      [
        "Bytes", "Crypto", "Flags", "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "Health", "NIOTransport",
        "Reflection", "Schemas", "Sys", "TLS", "Telemetry", nioCore, nioPosix, argumentParser, logging, swiftProtobuf,
        tracing,
      ]),

    // The reference services.
    service("ServiceMethods", ["GRPCMethods", "Schemas", swiftProtobuf]),
    service(
      "UserServer",
      [
        "Bytes", "GRPC", "GRPCMethods", "GRPCServer", "NIOTransport", "Schemas", "ServiceKit", "ServiceMethods",
        "Telemetry", "UserStore", logging, swiftProtobuf,
      ]),
    service(
      "GatewayServer",
      [
        "Bytes", "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "HTTP2", "Protobuf", "Reflection", "Schemas",
        "Transcoding", nioCore, logging,
      ]),
    executable(
      "gateway", ["Bytes", "GRPC", "GRPCClient", "GatewayServer", "ServiceKit", "Sys", argumentParser, nioCore]),
    executable("user-service", ["Schemas", "ServiceKit", "Sys", "UserServer", "UserStore", argumentParser, nioCore]),
  ]
}

if !embedded, !releasing {
  targets += [
    // Developers' tools.
    service("FlagDocs", ["Bytes", "Flags"]),
    executable("generate-docs", ["Diagnostics", "Fault", "FlagDocs", "HealthProbe", "Sys"]),
    executable("protobuf-benchmark", ["Protobuf"]),
    executable("protobuf-oracle", ["Protobuf"]),
    executable("protobuf-conformance", ["Protobuf"]),
    executable("interop-server", ["GRPCServer", "Interop", "NIOTransport", "Sys", "TLS", argumentParser]),
    executable("interop-client", ["GRPCClient", "Interop", "Sys", "TLS", argumentParser, nioCore]),
    executable(
      "benchmark-server",
      ["GRPCServer", "Interop", "NIOTransport", "Schemas", "ServiceMethods", "Sys", "TLS", swiftProtobuf]),

    // What many tests need beside what they test.
    .target(name: "TestSupport", dependencies: ["Protobuf"], path: "Tests/TestSupport", swiftSettings: common),

    tests(
      "ServiceKit",
      [
        "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "InProcess", "Schemas", "Telemetry", nioCore,
        argumentParser, swiftProtobuf,
      ]),
    tests(
      "GatewayServer",
      [
        "Bytes", "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "HTTP2", "InProcess", "Protobuf", "Reflection",
        "Schemas", "Transcoding",
      ]),
    tests("UserServer", ["GRPC", "GRPCMethods", "Schemas", "ServiceKit", "UserStore", swiftProtobuf, logging]),

    // What the README shows.
    .executableTarget(
      name: "greeter-server",
      dependencies: ["GRPC", "GRPCMethods", "GRPCServer", "Schemas", "ServiceKit", argumentParser, swiftProtobuf],
      path: "Examples/greeter-server", swiftSettings: services),

    .executableTarget(
      name: "greeter-client",
      dependencies: ["GRPC", "GRPCClient", "GRPCMethods", "Schemas", "ServiceMethods", swiftProtobuf],
      path: "Examples/greeter-client", swiftSettings: services),

    tests("NIOTransport", [nioCore, nioPosix, .product(name: "NIOEmbedded", package: "swift-nio")]),
    tests("GRPCServer", ["GRPC", "GRPCClient", "GRPCMethods", "Health", "InProcess", nioCore]),
    tests(
      "GRPCClient",
      [
        "GRPC", "GRPCMethods", "GRPCServer", "HTTP2", "Health", "InProcess", "NIOTransport", "TLS", logging, nioCore,
        nioPosix,
      ]),
    tests("SQLite"),
    tests("UserStore", ["SQLite", "Schemas", "store-test-helper", swiftProtobuf]),
    .executableTarget(
      name: "store-test-helper", dependencies: ["SQLite", "Schemas", "UserStore"], path: "Tests/StoreTestHelper",
      swiftSettings: services),
    tests("Schemas", [swiftProtobuf]),
    tests("Telemetry", ["GRPC", nioCore, nioPosix, coreMetrics, logging, tracing]),
    tests("FlagDocs", ["Diagnostics", "Flags", "HealthProbe", "generate-docs"]),
    tests("Bytes"),
    tests("HTTP2"),
    tests("TLS", ["Bytes"]),
    tests("Crypto"),
    tests("Gzip"),
    tests("Protobuf", ["Schemas"]),
    tests("JSON"),
    tests("DNS", ["Bytes"]),
    tests("HTTP1"),
    tests("Flags"),
    tests("Netlink", ["Bytes"]),
    tests("Diagnostics", ["Bytes", "DNS", "HTTP1", "HTTP2", "Netlink", "Sys"]),
    tests("Sys", ["CLinux"]),
    tests("GRPC", ["Bytes", "HTTP2", "JSON"]),
    tests("Health", ["Protobuf"]),
    tests("Reflection", ["Protobuf"]),
    tests("Sniff", ["TLS"]),
    tests("Fault"),
    tests("Transcoding", ["Bytes", "GRPC", "HTTP2", "Protobuf", "Schemas"]),
    tests("BlockingClient", ["Bytes", "CLinux", "Fault", "GRPC", "HTTP2", "Sys", "TLS"]),
    tests("HealthProbe", ["BlockingClient", "Fault", "Flags", "GRPC", "JSON", "Sys"]),
    .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: common),
  ]
}

if fuzzing {
  targets += [
    .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(
      name: "sonde-fuzz",
      dependencies: [
        "BlockingClient", "Bytes", "CFuzzer", "DNS", "Flags", "GRPC", "Gzip", "HTTP1", "HTTP2", "Health",
        "HealthProbe", "JSON", "Netlink", "Protobuf", "Reflection", "Sniff", "Sys", "TLS", "Transcoding",
      ],
      path: "Fuzz/sonde-fuzz", swiftSettings: common),
  ]
}

/// What the services' side stands on. The tools' side has no dependency but the C libraries.
let packages: [Package.Dependency] =
  embedded
  ? []
  : [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: ["FieldMaskUtilities"]),
  ]

let package = Package(
  name: "sonde",
  products: [.executable(name: "grpc_health_probe", targets: ["grpc_health_probe"])],
  dependencies: packages,
  targets: targets
)
