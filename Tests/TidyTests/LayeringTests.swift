// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The floors of the house, and what a module may import. Imports go down; on one floor only where this table says so.
let floors: [[String: Set<String>]] = [
  ["CNghttp2": [], "COpenSSL": [], "CZlib": [], "CMnl": [], "CLinux": [], "CSQLite": [], "Bytes": []],
  [
    "HTTP2": ["CNghttp2", "Bytes"], "TLS": ["COpenSSL", "Bytes"], "Crypto": ["COpenSSL"], "Gzip": ["CZlib"],
    "Protobuf": ["Bytes", "JSON"], "JSON": [], "Flags": ["Bytes"], "Sys": ["CLinux", "Bytes"], "SQLite": ["CSQLite"],
    "Netlink": ["CMnl", "Bytes"], "DNS": ["Bytes"], "HTTP1": ["Bytes"],
    "Schemas": ["Bytes", "FoundationEssentials", "SwiftProtobuf"],
  ],
  [
    "GRPC": ["Bytes", "Gzip", "HTTP2", "JSON"], "Health": ["Protobuf"], "Reflection": ["Protobuf"],
    "Fault": ["Bytes", "Sniff", "TLS"], "Sniff": ["Bytes", "TLS"], "FlagDocs": ["Bytes", "Flags"],
    "Transcoding": ["Bytes", "GRPC", "JSON", "Protobuf"],
    "UserStore": ["Bytes", "Crypto", "Glibc", "SQLite", "Schemas", "SwiftProtobuf", "Synchronization"],
  ],
  [
    "BlockingClient": ["Bytes", "Fault", "GRPC", "HTTP2", "Sys", "TLS"],
    "NIOTransport": ["HTTP2", "NIOCore", "NIOPosix", "Synchronization", "TLS"],
    "GRPCMethods": ["GRPC", "NIOCore", "Protobuf", "SwiftProtobuf", "Synchronization"],
    "Telemetry": [
      "Bytes", "CoreMetrics", "GRPC", "Glibc", "Instrumentation", "JSON", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix",
      "Protobuf", "ServiceContextModule", "Synchronization", "Sys", "Tracing",
    ],
  ],
  [
    "GRPCServer": [
      "GRPC", "GRPCMethods", "Glibc", "HTTP2", "Health", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOTransport",
      "Reflection", "Synchronization", "TLS",
    ],
    "GRPCClient": [
      "Bytes", "Fault", "GRPC", "GRPCMethods", "HTTP2", "Health", "Logging", "NIOCore", "NIOPosix", "NIOTransport",
      "Synchronization", "Sys", "TLS",
    ],
  ],
  ["InProcess": ["GRPCClient", "GRPCServer"]],
  [
    "ServiceKit": [
      "ArgumentParser", "Bytes", "Crypto", "Dispatch", "Flags", "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer",
      "Glibc", "Health", "Logging", "NIOCore", "NIOPosix", "NIOTransport", "Reflection", "Schemas",
      "ServiceContextModule", "SwiftProtobuf", "Synchronization", "Sys", "TLS", "Telemetry", "Tracing",
    ],
    "ServiceMethods": ["GRPCMethods", "Schemas", "SwiftProtobuf"],
  ],
  [
    "UserServer": [
      "Bytes", "GRPC", "GRPCMethods", "GRPCServer", "Logging", "NIOTransport", "Schemas", "ServiceKit",
      "ServiceMethods", "SwiftProtobuf", "Synchronization", "Telemetry", "UserStore",
    ],
    "GatewayServer": [
      "Bytes", "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "HTTP2", "Logging", "NIOCore", "Protobuf",
      "Reflection", "Schemas", "Synchronization", "Transcoding",
    ],
  ],
  [
    "Interop": [
      "FoundationEssentials", "GRPC", "GRPCClient", "GRPCMethods", "GRPCServer", "NIOCore", "Schemas", "SwiftProtobuf",
    ]
  ],
  [
    "HealthProbe": [
      "BlockingClient", "Bytes", "Fault", "Flags", "GRPC", "Gzip", "HTTP2", "Health", "JSON", "Protobuf", "Sys", "TLS",
    ]
  ],
  [
    "Diagnostics": [
      "BlockingClient", "Bytes", "Crypto", "DNS", "Fault", "Flags", "GRPC", "Gzip", "HTTP1", "HTTP2", "Health",
      "HealthProbe", "JSON", "Netlink", "Protobuf", "Reflection", "Sniff", "Sys", "TLS",
    ]
  ],
  [
    "grpc_health_probe": ["HealthProbe", "Sys"],
    "netdiag": ["Diagnostics", "Sys"],
    "generate-docs": ["Diagnostics", "Fault", "FlagDocs", "HealthProbe", "Foundation", "Sys"],
    "protobuf-benchmark": ["Foundation", "Protobuf"], "protobuf-oracle": ["Foundation", "Protobuf"],
    "protobuf-conformance": ["Foundation", "Protobuf"],
    "interop-server": ["ArgumentParser", "GRPCServer", "Interop", "NIOTransport", "Sys", "TLS"],
    "interop-client": ["ArgumentParser", "GRPCClient", "Interop", "NIOCore", "Sys", "TLS"],
    "benchmark-server": [
      "GRPCServer", "Interop", "NIOTransport", "Schemas", "ServiceMethods", "SwiftProtobuf", "Sys", "TLS",
    ],
    "gateway": ["ArgumentParser", "Bytes", "GRPC", "GRPCClient", "GatewayServer", "NIOCore", "ServiceKit", "Sys"],
    "user-service": ["ArgumentParser", "NIOCore", "Schemas", "ServiceKit", "Sys", "UserServer", "UserStore"],
  ],
]

/// Modules of the toolchain and of packages. The services' side may use them where its row says so.
let packageModules: Set<String> = [
  "ArgumentParser", "CoreMetrics", "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Instrumentation",
  "Logging", "Metrics", "NIOCore", "NIOHTTP1", "NIOPosix", "ServiceContextModule", "SwiftProtobuf", "Synchronization",
  "Tracing",
]

/// Modules that are linked into tools which are copied alone into other people's images.
let toolModules: Set<String> = [
  "Bytes", "HTTP2", "TLS", "Crypto", "Gzip", "Protobuf", "JSON", "DNS", "HTTP1", "Flags", "Sys", "GRPC", "Health",
  "Reflection", "Sniff", "Fault", "BlockingClient", "HealthProbe", "grpc_health_probe", "Netlink", "Diagnostics",
  "netdiag", "Transcoding",
]

@Suite struct LayeringTests {
  static let allowed = floors.reduce(into: [:]) { $0.merge($1) { old, _ in old } }

  static func imports(_ file: Repository.File) -> [String] {
    file.lines.compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count else { return nil }
      let isImport = words[..<index].allSatisfy { ["public", "internal", "private", "@testable"].contains($0) }
      return isImport ? words[index + 1] : nil
    }
  }

  @Test("every module stands on a floor")
  func floorsAreComplete() {
    let modules = Set(Repository.swiftSources.map(\.module))
    #expect(modules.subtracting(Self.allowed.keys) == [])
    #expect(modules.count > 10)
  }

  @Test("a module imports what its floor allows and nothing else", arguments: Repository.swiftSources)
  func importsGoDown(file: Repository.File) {
    let allowed = Self.allowed[file.module] ?? []
    // A generated message with bytes imports Foundation where there is no FoundationEssentials, which is nowhere here.
    let unreached: Set<String> = file.path.hasSuffix(".pb.swift") ? ["Foundation"] : []
    for name in Self.imports(file) where !unreached.contains(name) {
      #expect(allowed.contains(name), "\(file.path) imports \(name)")
    }
  }

  @Test("what the table allows goes down, or is named on the same floor by its own row")
  func tableGoesDown() {
    var below = packageModules
    for floor in floors {
      for (module, imports) in floor {
        #expect(imports.subtracting(below).subtracting(floor.keys) == [], "\(module) reaches up")
      }
      below.formUnion(floor.keys)
    }
  }

  @Test("tools use no Foundation, no concurrency and no C library but through its one module")
  func toolsAreLean() {
    let banned: Set<String> = [
      "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "_Concurrency", "Synchronization", "ArgumentParser",
    ]
    for file in Repository.swiftSources where toolModules.contains(file.module) {
      #expect(Set(Self.imports(file)).isDisjoint(with: banned), "\(file.path)")
      for word in ["async ", "await ", "Task {", "actor "] {
        let hits = file.lines.filter { line in
          !line.drop { $0 == " " }.hasPrefix("//") && line.contains(" " + word) && !line.contains("\"")
        }
        #expect(hits == [], "\(file.path) uses \(word)")
      }
    }
  }

  @Test("one Swift module a C library", arguments: ["CNghttp2", "CZlib", "CLinux", "CSQLite"])
  func oneWrapper(library: String) {
    let users = Set(Repository.swiftSources.filter { Self.imports($0).contains(library) }.map(\.module))
    #expect(users.count == 1, "\(library) is imported by \(users.sorted())")
  }
}
