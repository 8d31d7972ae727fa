// SPDX-License-Identifier: Apache-2.0

internal import Gzip
internal import HTTP2
internal import Sys
internal import TLS

/// What `-version` prints: the version with its commit, then the libraries that are linked in, for scanners and people
/// who need to know whether a fix of theirs is in this file.
var versionText: String {
  let commit = Process.commit.map { "commit \($0)" } ?? "vcs info was not included in build"
  return """
    \(sondeVersion); \(commit)
    nghttp2 \(HTTP2Library.version)
    OpenSSL \(TLSLibrary.version)
    zlib \(Gzip.libraryVersion)
    glibc \(Process.libcVersion)

    """
}
