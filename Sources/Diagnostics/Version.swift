// SPDX-License-Identifier: Apache-2.0

internal import Gzip
internal import HTTP2
internal import Sys
internal import TLS

/// What `netdiag version` prints: the version with its commit, then the libraries that are linked in.
var versionText: String {
  let commit = Process.commit.map { "commit \($0)" } ?? "vcs info was not included in build"
  return """
    netdiag \(sondeVersion); \(commit)
    nghttp2 \(HTTP2Library.version)
    OpenSSL \(TLSLibrary.version)
    zlib \(Gzip.libraryVersion)
    libmnl
    glibc \(Process.libcVersion)

    """
}
