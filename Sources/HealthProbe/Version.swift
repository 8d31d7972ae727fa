// SPDX-License-Identifier: Apache-2.0

internal import Gzip
internal import HTTP2
internal import Sys
internal import TLS

/// What a tool says of its version: that with its commit, then the libraries that are linked in, for scanners and
/// people who need to know whether a fix of theirs is in this file.
///
/// - Parameters:
///   - name: what stands before the version, where anything does.
///   - more: a line for each library that not every tool has.
package func versionText(_ name: String = "", more: [String] = []) -> String {
  let commit = Process.commit.map { "commit \($0)" } ?? "vcs info was not included in build"
  return """
    \(name.isEmpty ? "" : name + " ")\(sondeVersion); \(commit)
    nghttp2 \(HTTP2Library.version)
    OpenSSL \(TLSLibrary.version)
    zlib \(Gzip.libraryVersion)
    \(more.map { $0 + "\n" }.joined())glibc \(Process.libcVersion)

    """
}
