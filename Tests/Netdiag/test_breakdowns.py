# SPDX-License-Identifier: Apache-2.0
"""What the client, netdiag beside the service and its HEALTHCHECK each see of a breakdown that is made for real."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

from breakdowns import BREAKDOWNS, ROOT
from netdiag import FINE, PROBLEM
from peers.shop import PORT, Shop


@pytest.fixture(scope="session")
def probe(netdiag) -> str:
    """The probe of the same build as the file under test, which stands beside it."""
    path = pathlib.Path(os.environ.get("SONDE_PROBE") or pathlib.Path(netdiag.path).with_name("grpc_health_probe"))
    assert os.access(path, os.X_OK), f"there is no probe: {path}"
    return str(path)


@pytest.mark.usefixtures("root_user")
@pytest.mark.parametrize("broken", BREAKDOWNS, ids=lambda broken: broken.name)
def test_what_each_place_sees(netdiag, probe, broken):
    with Shop() as shop:
        broken.make(shop)
        command = broken.doctor(shop)
        document = netdiag(*command, "--json", prefix=shop.at_client).ends(PROBLEM).json
        assert (document["code"], document["diagnosis"]["code"]) == (broken.client, broken.client), document
        assert document["diagnosis"]["candidates"], document
        text = netdiag(*command, prefix=shop.at_client).ends(PROBLEM)
        lines = [line for line in text.lines if line.startswith("DIAGNOSIS")]
        assert [line.split()[1] for line in lines] == [broken.client], text
        if broken.listeners:
            result = netdiag("listeners", str(PORT), "--json", prefix=shop.host.inside)
            assert result.json["code"] == broken.listeners
        if broken.healthcheck:
            done = subprocess.run(
                [*shop.host.inside, probe, f"-addr=localhost:{PORT}", "-output=json", *broken.check],
                capture_output=True, text=True, timeout=30,
            )
            said = json.loads(done.stdout)
            code = said.get("fault", {"code": "ok"})["code"]
            if broken.healthcheck == "call-timeout" and code == "call-failed":
                # The server knows the call's deadline too, and its clock may be the first to say that it is over.
                assert "DEADLINE_EXCEEDED" in said["reason"], said
            else:
                assert code == broken.healthcheck, said
            assert (done.returncode == 0) == (broken.healthcheck == "ok")


@pytest.mark.usefixtures("root_user")
def test_nothing_is_broken(netdiag):
    with Shop() as shop:
        shop.serve()
        result = netdiag("doctor", f"user-service:{PORT}", prefix=shop.at_client).ends(FINE)
    result.says("ok", "name", "user-service is 172.20.0.2, by 127.0.0.11")
    result.says("ok", "name", "172.20.0.2 is the container user-service on the network shop")
    result.says("ok", "route", "172.20.0.2 is on the network 172.20.0.0/24 of eth0")
    result.says("ok", "health", "the server as a whole: SERVING").lacks("FAIL", "warn")
    assert result.lines[-1] == (
        f"DIAGNOSIS  OK  user-service:{PORT}: serves gRPC in the clear, and its health service says SERVING"
    )


def test_the_table_is_in_the_documents():
    """docs/breakdowns.md has a row of each breakdown, with what each place sees of it."""
    document = (ROOT / "docs" / "breakdowns.md").read_text(encoding="utf-8")
    for broken in BREAKDOWNS:
        cells = [broken.name, broken.title, broken.client, broken.listeners or "–", broken.healthcheck or "–"]
        row = "| " + " | ".join(f"`{cell}`" if cell not in (broken.title, "–") else cell for cell in cells) + " |"
        assert row in document, f"docs/breakdowns.md lacks the row\n{row}"
