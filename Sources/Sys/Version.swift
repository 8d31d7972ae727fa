// SPDX-License-Identifier: Apache-2.0

/// The toolkit's version; the one place where it stands.
public let sondeVersion = "0.1.0"
