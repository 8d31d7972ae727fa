# SPDX-License-Identifier: Apache-2.0
"""`netdiag explain`: what a code means."""

from __future__ import annotations

from netdiag import FINE, UNDETERMINED


def test_a_code(netdiag):
    result = netdiag("explain", "localhost-only").ends(FINE)
    assert result.lines[0].startswith("LOCALHOST_ONLY: ") and "cure" in result.lines


def test_all_codes(netdiag):
    listed = netdiag("explain").ends(FINE).lines
    document = netdiag.json("explain")
    assert [line.split()[0] for line in listed] == [each["code"] for each in document["diagnoses"]]
    assert all(each["causes"] and each["cure"] for each in document["diagnoses"])
    assert [each["code"] for each in netdiag.json("explain", "ok", "TCP_REFUSED")["diagnoses"]] == ["OK", "TCP_REFUSED"]


def test_a_text_of_another_program(netdiag):
    log = b"starting\nrpc error: code = Unavailable desc = connection error: dial tcp 10.0.0.1:80: connection refused\n"
    result = netdiag("explain", stdin=None, input=log).ends(FINE)
    assert result.lines[0] == 'line 2: "connection refused"' and result.lines[1].startswith("TCP_REFUSED: ")
    document = netdiag("explain", "--json", stdin=None, input=log).json
    assert document["phrases"] == [{"line": 2, "phrase": "connection refused", "code": "TCP_REFUSED"}]
    netdiag("explain", stdin=None, input=b"all is well\n\x00\xff").ends(UNDETERMINED).says("?", "nothing in the text")
    unknown = netdiag("explain", "--json", stdin=None, input=b"all is well\n").ends(UNDETERMINED).json
    assert (unknown["ok"], unknown["code"], unknown["error"]) == (False, "UNDETERMINED", "nothing in the text is known")
    assert unknown.keys() == document.keys()


def test_what_is_no_code(netdiag):
    line = 'there is no diagnosis "\\x1b"; netdiag explain lists them'
    netdiag("explain", "\x1b").complains(f"netdiag explain: {line}; see netdiag explain --help")
