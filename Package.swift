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
    name: module + "Tests", dependencies: [.byName(name: module)] + dependencies, swiftSettings: common)
}

/// A part of the services' side: ordinary server-side Swift on its ecosystem's packages.
func service(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: common)
}

/// What each executable links in addition where it is one static file: the reason is in the target's header.
let staticParts: [Target.Dependency] = embedded ? ["CLeanOpenSSL"] : []

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let swiftProtobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

var targets: [Target] = [
  // Floor 0: C libraries, the operating system's C interface, and the bytes that everybody handles.
  .systemLibrary(name: "CNghttp2", pkgConfig: embedded ? nil : "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
  .systemLibrary(name: "COpenSSL", pkgConfig: embedded ? nil : "openssl", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CZlib", pkgConfig: embedded ? nil : "zlib", providers: [.apt(["zlib1g-dev"])]),
  .target(name: "CLinux", cSettings: commit.map { [.define("SONDE_COMMIT", to: "\"\($0)\"")] } ?? []),
  part("Bytes"),

  // Floor 1: pure parts, and the operating system.
  part("HTTP2", ["CNghttp2"]),
  part("TLS", ["COpenSSL", "Bytes"]),
  part("Crypto", ["COpenSSL"]),
  part("Gzip", ["CZlib"]),
  part("Protobuf"),
  part("JSON"),
  part("Flags", ["Bytes"]),
  part("Sys", ["CLinux", "Bytes"]),

  // Floor 2: pure meaning.
  part("GRPC", ["Bytes", "Gzip", "HTTP2"]),
  part("Health", ["Protobuf"]),
  part("Fault", ["Bytes"]),

  // Floor 3: the driver that blocks, and the engine that it serves.
  part("BlockingClient", ["Bytes", "Fault", "GRPC", "HTTP2", "Sys", "TLS"]),
  part(
    "HealthProbe",
    ["BlockingClient", "Bytes", "Fault", "Flags", "GRPC", "Gzip", "HTTP2", "Health", "JSON", "Protobuf", "Sys", "TLS"]),

  // Floor 4: executables.
  .executableTarget(
    name: "grpc_health_probe", dependencies: ["HealthProbe", "Sys"] + staticParts, swiftSettings: tools),
]

if embedded {
  targets.append(.target(name: "CLeanOpenSSL"))
} else {
  targets += [
    // The services' side.
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    service("SQLite", ["CSQLite"]),
    service("Schemas", ["Bytes", swiftProtobuf]),
    tests("SQLite"),
    tests("Schemas", [swiftProtobuf]),

    // Developers' tools.
    .target(name: "FlagDocs", dependencies: ["Bytes", "Flags"], swiftSettings: common),
    .executableTarget(
      name: "generate-docs", dependencies: ["Fault", "FlagDocs", "HealthProbe"], swiftSettings: common),
    // The services' side: drivers on SwiftNIO.
    service("NIOTransport", ["HTTP2", "TLS", nioCore]),
    service("GRPCMethods", ["GRPC", "Protobuf", nioCore, swiftProtobuf]),
    service(
      "GRPCServer", ["GRPC", "GRPCMethods", "HTTP2", "Health", "NIOTransport", "TLS", nioCore, nioPosix, logging]),

    service(
      "GRPCClient",
      ["Bytes", "GRPC", "GRPCMethods", "HTTP2", "Health", "NIOTransport", "Sys", "TLS", nioCore, nioPosix, logging]),
    service("InProcess", ["GRPCClient", "GRPCServer"]),
    tests(
      "GRPCClient",
      [
        "GRPC", "GRPCMethods", "GRPCServer", "HTTP2", "Health", "InProcess", "NIOTransport", "TLS", logging, nioCore,
        nioPosix,
      ]),

    service("Interop", ["GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "Schemas", nioCore, swiftProtobuf]),
    .executableTarget(
      name: "interop-client", dependencies: ["GRPCClient", "Interop", "Sys", "TLS", argumentParser, nioCore],
      swiftSettings: common),
    .executableTarget(
      name: "interop-server", dependencies: ["GRPCServer", "Interop", "NIOTransport", "Sys", "TLS", argumentParser],
      swiftSettings: common),
    .executableTarget(
      name: "benchmark-server", dependencies: ["GRPCMethods", "GRPCServer", "Schemas", swiftProtobuf],
      swiftSettings: common),

    tests("FlagDocs", ["Flags", "HealthProbe", "generate-docs"]),

    tests("Bytes"),
    tests("HTTP2"),
    tests("TLS", ["Bytes"]),
    tests("Crypto"),
    tests("Gzip"),
    tests("Protobuf"),
    tests("JSON"),
    tests("Flags"),
    tests("Sys", ["CLinux"]),
    tests("GRPC", ["Bytes", "HTTP2"]),
    tests("Health", ["Protobuf"]),
    tests("Fault"),
    tests("BlockingClient", ["Bytes", "CLinux", "Fault", "GRPC", "HTTP2", "Sys", "TLS"]),
    tests("HealthProbe", ["BlockingClient", "Fault", "Flags", "GRPC", "JSON", "Sys"]),
    .testTarget(name: "TidyTests", swiftSettings: common),
  ]
}

if fuzzing {
  targets += [
    .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(
      name: "sonde-fuzz",
      dependencies: [
        "BlockingClient", "Bytes", "CFuzzer", "Flags", "GRPC", "Gzip", "HTTP2", "Health", "HealthProbe", "Protobuf",
        "Sys", "TLS",
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
