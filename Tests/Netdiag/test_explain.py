# SPDX-License-Identifier: Apache-2.0
"""`netdiag explain`: what a code means."""

from __future__ import annotations

from netdiag import FINE


def test_a_code(netdiag):
    result = netdiag("explain", "localhost-only").ends(FINE)
    assert result.lines[0].startswith("LOCALHOST_ONLY: ") and "cure" in result.lines


def test_all_codes(netdiag):
    listed = netdiag("explain").ends(FINE).lines
    document = netdiag.json("explain")
    assert [line.split()[0] for line in listed] == [each["code"] for each in document["diagnoses"]]
    assert all(each["causes"] and each["cure"] for each in document["diagnoses"])
    assert [each["code"] for each in netdiag.json("explain", "ok", "TCP_REFUSED")["diagnoses"]] == ["OK", "TCP_REFUSED"]


def test_what_is_no_code(netdiag):
    line = 'there is no diagnosis "\\x1b"; netdiag explain lists them'
    netdiag("explain", "\x1b").complains(f"netdiag explain: {line}; see netdiag explain --help")
