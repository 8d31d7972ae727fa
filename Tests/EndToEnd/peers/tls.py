# SPDX-License-Identifier: Apache-2.0
"""TLS contexts for the scripted peer."""

from __future__ import annotations

import ssl


def server_context(
    certificate: str,
    key: str | None = None,
    alpn: tuple[str, ...] | None = ("h2",),
    client_ca: str | None = None,
    minimum: ssl.TLSVersion | None = None,
    maximum: ssl.TLSVersion | None = None,
    weak: bool = False,
) -> ssl.SSLContext:
    """A server's context. `weak` allows the keys, digests and versions that nobody should use any more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if weak:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(certificate, key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    return context
