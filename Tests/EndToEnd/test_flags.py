# SPDX-License-Identifier: Apache-2.0
"""The command line: its grammar, its errors word by word, and which of several errors is told."""

import re

import pytest

# A target whose fault is permanent: what stands before the dialling is seen, and nothing is dialled.
NOWHERE = "-addr=unix://host/path"

PEER_FLAGS = [
    "addr", "alts", "connect-timeout", "gzip", "rpc-header", "rpc-timeout", "service", "spiffe", "tls", "tls-ca-cert",
    "tls-client-cert", "tls-client-key", "tls-no-verify", "tls-server-name", "user-agent", "v", "version",
]
OWN_FLAGS = [
    "all", "authority", "connect-only", "exit-codes", "fail-fast", "no-proxy", "output", "rpc-header-file", "services",
    "timeout", "tls-min-days", "wait", "watch",
]


# The grammar.


@pytest.mark.parametrize("dashes", ["-", "--"])
@pytest.mark.parametrize("joined", [True, False])
def test_one_and_two_dashes_and_both_ways_to_give_a_value_are_equal(probe, healthy, dashes, joined):
    def flag(name, value):
        return [f"{dashes}{name}={value}"] if joined else [f"{dashes}{name}", value]

    probe(*flag("addr", healthy.address), *flag("connect-timeout", "20s"), *flag("service", "down")).unhealthy(
        "NOT_SERVING"
    )


def test_a_value_may_hold_an_equals_sign(probe):
    address = "unix://a=b/c"
    probe(f"-addr={address}").connect_failed(address)


def test_a_value_given_apart_may_begin_with_a_dash(probe):
    """`-addr -tls` names the address `-tls`."""
    probe("-addr", "-tls").ends(2)


def test_the_last_of_a_repeated_flag_wins(probe, healthy):
    probe.check("127.0.0.1:1", f"-addr={healthy.address}", "-service=up", "-service=down").unhealthy("NOT_SERVING")


@pytest.mark.parametrize("value", ["1", "t", "T", "TRUE", "true", "True"])
def test_every_spelling_of_true_sets_a_boolean(probe, value):
    probe(NOWHERE, f"-v={value}").says(2, "parsed options:")


@pytest.mark.parametrize("value", ["0", "f", "F", "FALSE", "false", "False"])
def test_every_spelling_of_false_clears_a_boolean(probe, value):
    result = probe(NOWHERE, "-v", f"-v={value}").ends(2)
    assert "parsed options:" not in result.stderr, result


@pytest.mark.parametrize("stopper", ["false", "--", "-", "junk"])
def test_a_word_that_is_no_flag_ends_the_flags(probe, stopper):
    """A boolean takes its value only after an equals sign, so `-tls false` ends the flags at `false`."""
    probe("-tls", stopper, "-addr=127.0.0.1:1").bad_arguments("error: -addr not specified")


def test_words_after_the_flags_are_ignored(probe, healthy):
    probe.check(healthy.address, "junk", "-service=down", "-no-such-flag").serving()


PARSE_ERRORS = {
    "an unknown flag": (["-foo"], "flag provided but not defined: -foo"),
    "an unknown flag with two dashes": (["--foo"], "flag provided but not defined: -foo"),
    "an unknown flag with a value": (["-foo=bar"], "flag provided but not defined: -foo"),
    "verbose spelt out": (["-verbose"], "flag provided but not defined: -verbose"),
    "a missing value": (["-addr"], "flag needs an argument: -addr"),
    "a missing value after two dashes": (["--addr"], "flag needs an argument: -addr"),
    "a missing header": (["-rpc-header"], "flag needs an argument: -rpc-header"),
    "a missing duration": (["-connect-timeout"], "flag needs an argument: -connect-timeout"),
    "a bad duration": (
        ["-connect-timeout=abc"],
        'invalid value "abc" for flag -connect-timeout: parse error',
    ),
    "a bad duration given apart": (
        ["-rpc-timeout", "abc"],
        'invalid value "abc" for flag -rpc-timeout: parse error',
    ),
    "a bad boolean": (["-tls=maybe"], 'invalid boolean value "maybe" for -tls: parse error'),
    "a bad boolean, yes": (["-v=yes"], 'invalid boolean value "yes" for -v: parse error'),
    "a bad boolean, in mixed case": (["-gzip=tRUE"], 'invalid boolean value "tRUE" for -gzip: parse error'),
    "three dashes": (["---addr=x"], "bad flag syntax: ---addr=x"),
    "no name": (["-=x"], "bad flag syntax: -=x"),
    "no name after two dashes": (["--=x"], "bad flag syntax: --=x"),
    "a header without a colon": (
        ["-rpc-header=foo"],
        'invalid value "foo" for flag -rpc-header: invalid RPC header, expected \'key: value\', got "foo"',
    ),
    "an empty header": (
        ["-rpc-header="],
        'invalid value "" for flag -rpc-header: invalid RPC header, expected \'key: value\', got ""',
    ),
}


@pytest.mark.parametrize("arguments, line", PARSE_ERRORS.values(), ids=PARSE_ERRORS)
def test_a_parse_error_is_one_line_then_the_usage(probe, arguments, line):
    result = probe("-addr=127.0.0.1:1", *arguments).bad_arguments(line)
    assert re.search(r"^\s*-addr\b", "\n".join(result.lines[1:]), re.M), f"no usage follows:{result}"


def test_the_first_parse_error_is_the_one_told(probe):
    probe("-tls=maybe", "-foo").bad_arguments('invalid boolean value "maybe" for -tls: parse error')
    probe("-foo", "-tls=maybe").bad_arguments("flag provided but not defined: -foo")


# Durations.

GOOD_DURATIONS = {
    "1s": "1s", "250ms": "250ms", "1500ms": "1.5s", "90s": "1m30s", "1m30s": "1m30s", "1.5h": "1h30m0s",
    "3600s": "1h0m0s", "500us": "500µs", "500µs": "500µs", "500μs": "500µs", "1ns": "1ns", "1500ns": "1.5µs",
    "0.1ms": "100µs", "100h": "100h0m0s", "1h2m3.004s": "1h2m3.004s", "1.000000001s": "1.000000001s", "+1s": "1s",
    ".5s": "500ms", "1.s": "1s", "60000ms": "1m0s", "1s1s": "2s", "999999999s": "277777h46m39s",
    "9223372036854775807ns": "2562047h47m16.854775807s",
}


@pytest.mark.parametrize("text, printed", GOOD_DURATIONS.items())
def test_a_duration_is_read_and_printed_as_go_does(probe, text, printed):
    result = probe(NOWHERE, "-v", f"-connect-timeout={text}", "-rpc-timeout=1m30s").says(2, "parsed options:")
    assert result.lines[1] == f"> addr=unix://host/path conn_timeout={printed} rpc_timeout=1m30s", result


NOT_POSITIVE = {
    "0": "0s", "0s": "0s", "-0": "0s", "0h0m": "0s", "-1s": "-1s", "-250ms": "-250ms", "-1.5h": "-1h30m0s",
    "-1us": "-1µs", "0.1ns": "0s",
}


@pytest.mark.parametrize("flag", ["connect-timeout", "rpc-timeout"])
@pytest.mark.parametrize("text, printed", NOT_POSITIVE.items())
def test_a_timeout_must_be_greater_than_zero(probe, flag, text, printed):
    probe(NOWHERE, f"-{flag}={text}").bad_arguments(f"error: -{flag} must be greater than zero (specified: {printed})")


BAD_DURATIONS = [
    "5", "", "s", ".", ".s", "1x", "1s ", " 1s", "--1s", "1e3s", "1 s", "1,5s", "1S", "9223372036854775808ns",
    "3000000h", "1d", "99999999999999999999s",
]


@pytest.mark.parametrize("text", BAD_DURATIONS)
def test_what_is_no_duration_is_a_parse_error(probe, text):
    probe(NOWHERE, f"-rpc-timeout={text}").bad_arguments(f'invalid value "{text}" for flag -rpc-timeout: parse error')


def test_a_window_of_decades_is_accepted(probe, healthy):
    """Such a window keeps containers alive in the wild, and must not overflow any clock."""
    probe(f"-addr={healthy.address}", "-connect-timeout=999999999s", "-rpc-timeout=999999999s").serving()


# What is wrong with a combination.

COMBINATIONS = {
    "no address": ([], "error: -addr not specified"),
    "an empty address": (["-addr="], "error: -addr not specified"),
    "ALTS and SPIFFE": ([NOWHERE, "-alts", "-spiffe"], "error: -alts and -spiffe are mutually incompatible"),
    "TLS and ALTS": ([NOWHERE, "-tls", "-alts"], "error: cannot specify -tls with -alts"),
    "no-verify without TLS": (
        [NOWHERE, "-tls-no-verify"],
        "error: specified -tls-no-verify without specifying -tls",
    ),
    "a CA without TLS": ([NOWHERE, "-tls-ca-cert=x"], "error: specified -tls-ca-cert without specifying -tls"),
    "a client certificate without TLS": (
        [NOWHERE, "-tls-client-cert=x", "-tls-client-key=y"],
        "error: specified -tls-client-cert without specifying -tls",
    ),
    "a server name without TLS": (
        [NOWHERE, "-tls-server-name=x"],
        "error: specified -tls-server-name without specifying -tls",
    ),
    "a client certificate without its key": (
        [NOWHERE, "-tls", "-tls-client-cert=x"],
        "error: specified -tls-client-cert without specifying -tls-client-key",
    ),
    "a client key without its certificate": (
        [NOWHERE, "-tls", "-tls-client-key=x"],
        "error: specified -tls-client-key without specifying -tls-client-cert",
    ),
    "a client key without its certificate and without TLS": (
        [NOWHERE, "-tls-client-key=x"],
        "error: specified -tls-client-key without specifying -tls-client-cert",
    ),
    "no-verify and a CA": (
        [NOWHERE, "-tls", "-tls-no-verify", "-tls-ca-cert=x"],
        "error: cannot specify -tls-ca-cert with -tls-no-verify (CA cert would not be used)",
    ),
    "no-verify and a server name": (
        [NOWHERE, "-tls", "-tls-no-verify", "-tls-server-name=x"],
        "error: cannot specify -tls-server-name with -tls-no-verify (server name would not be used)",
    ),
    "TLS and SPIFFE": ([NOWHERE, "-tls", "-spiffe"], "-tls and -spiffe are mutually incompatible"),
}


@pytest.mark.parametrize("arguments, line", COMBINATIONS.values(), ids=COMBINATIONS)
def test_a_wrong_combination_has_its_line(probe, arguments, line):
    probe(*arguments).bad_arguments(line)


# Each row has this fault and every later one that can stand beside it.
ORDER = [
    ("address", ["-connect-timeout=0", "-rpc-timeout=0", "-alts", "-spiffe", "-tls"], "error: -addr not specified"),
    (
        "connect timeout",
        [NOWHERE, "-connect-timeout=0", "-rpc-timeout=0", "-alts", "-spiffe", "-tls"],
        "error: -connect-timeout must be greater than zero (specified: 0s)",
    ),
    (
        "RPC timeout",
        [NOWHERE, "-rpc-timeout=0", "-alts", "-spiffe", "-tls"],
        "error: -rpc-timeout must be greater than zero (specified: 0s)",
    ),
    (
        "ALTS and SPIFFE",
        [NOWHERE, "-alts", "-spiffe", "-tls", "-tls-client-cert=x", "-tls-no-verify", "-tls-ca-cert=x"],
        "error: -alts and -spiffe are mutually incompatible",
    ),
    (
        "TLS and ALTS",
        [NOWHERE, "-alts", "-tls", "-tls-client-cert=x", "-tls-no-verify", "-tls-ca-cert=x"],
        "error: cannot specify -tls with -alts",
    ),
    (
        "no-verify",
        [NOWHERE, "-tls-no-verify", "-tls-ca-cert=x", "-tls-client-cert=x", "-tls-server-name=x"],
        "error: specified -tls-no-verify without specifying -tls",
    ),
    (
        "CA",
        [NOWHERE, "-tls-ca-cert=x", "-tls-client-cert=x", "-tls-server-name=x"],
        "error: specified -tls-ca-cert without specifying -tls",
    ),
    (
        "client certificate",
        [NOWHERE, "-tls-client-cert=x", "-tls-server-name=x"],
        "error: specified -tls-client-cert without specifying -tls",
    ),
    (
        "server name",
        [NOWHERE, "-tls-server-name=x", "-tls-client-key=x"],
        "error: specified -tls-server-name without specifying -tls",
    ),
    (
        "certificate without key",
        [NOWHERE, "-tls", "-spiffe", "-tls-client-cert=x", "-tls-no-verify", "-tls-ca-cert=x", "-tls-server-name=x"],
        "error: specified -tls-client-cert without specifying -tls-client-key",
    ),
    (
        "key without certificate",
        [NOWHERE, "-tls", "-spiffe", "-tls-client-key=x", "-tls-no-verify", "-tls-ca-cert=x", "-tls-server-name=x"],
        "error: specified -tls-client-key without specifying -tls-client-cert",
    ),
    (
        "no-verify and CA",
        [NOWHERE, "-tls", "-spiffe", "-tls-no-verify", "-tls-ca-cert=x", "-tls-server-name=x"],
        "error: cannot specify -tls-ca-cert with -tls-no-verify (CA cert would not be used)",
    ),
    (
        "no-verify and server name",
        [NOWHERE, "-tls", "-spiffe", "-tls-no-verify", "-tls-server-name=x"],
        "error: cannot specify -tls-server-name with -tls-no-verify (server name would not be used)",
    ),
    (
        "TLS and SPIFFE before the files",
        [NOWHERE, "-tls", "-spiffe", "-tls-ca-cert=/nope.pem"],
        "-tls and -spiffe are mutually incompatible",
    ),
]


@pytest.mark.parametrize("arguments, line", [row[1:] for row in ORDER], ids=[row[0] for row in ORDER])
def test_of_several_errors_the_first_in_order_is_told(probe, arguments, line):
    probe(*arguments).bad_arguments(line)


def test_the_verbose_dump_comes_before_tls_and_spiffe_are_compared(probe):
    result = probe(NOWHERE, "-v", "-tls", "-spiffe").says(1, "parsed options:")
    assert "-tls and -spiffe are mutually incompatible" in result.lines, result


def test_the_verbose_dump_comes_after_the_combinations(probe):
    result = probe(NOWHERE, "-v", "-tls-no-verify")
    result.bad_arguments("error: specified -tls-no-verify without specifying -tls")
    assert "parsed options:" not in result.stderr, result


def test_alts_is_refused_with_a_line_of_its_own(probe):
    result = probe("-addr=127.0.0.1:1", "-connect-timeout=20s", "-alts").at_once()
    assert result.code in (1, 2), result
    assert "alts" in result.line.lower(), result


OWN_CONFLICTS = [
    (["-all"], ["-services=a,b"]),
    (["-all"], ["-service=a"]),
    (["-service=a"], ["-services=a,b"]),
    (["-watch"], ["-wait=1s"]),
    (["-watch"], ["-connect-only"]),
    (["-connect-only"], ["-all"]),
    (["-connect-only"], ["-services=a,b"]),
]


@pytest.mark.parametrize("one, other", OWN_CONFLICTS, ids=lambda flags: flags[0])
def test_flags_that_exclude_each_other_name_both(probe, one, other):
    result = probe(NOWHERE, *one, *other).ends(1)
    for flag in (one[0], other[0]):
        assert flag.split("=")[0] in result.line, result


@pytest.mark.parametrize(
    "argument",
    ["-timeout=-1s", "-wait=-1s", "-output=xml", "-exit-codes=podman", "-tls-min-days=soon", "-tls-min-days=-1"],
)
def test_a_value_out_of_range_is_told_with_its_flag(probe, argument):
    result = probe(NOWHERE, "-tls", argument).ends(1)
    assert argument.split("=")[0] in result.line, result


def test_days_left_are_of_no_use_without_tls(probe):
    result = probe(NOWHERE, "-tls-min-days=7").ends(1)
    assert "-tls-min-days" in result.line and "-tls" in result.line.replace("-tls-min-days", ""), result


# Help and version.


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_lists_each_flag_in_order_on_stderr(probe, flag):
    result = probe(flag).ends(1)
    assert result.stdout == "", result
    names = re.findall(r"^ {0,4}-([a-z][a-z-]*)", result.stderr, re.M)
    assert set(PEER_FLAGS + OWN_FLAGS) <= set(names), f"missing: {set(PEER_FLAGS + OWN_FLAGS) - set(names)}"
    assert names == sorted(names), "the flags are not sorted"


def test_help_names_the_defaults(probe):
    usage = probe("-h").ends(1).stderr
    for default in ("grpc_health_probe", "1s"):
        assert default in usage


def test_the_version_is_on_stdout_with_the_libraries(probe):
    result = probe("-version").ends(0)
    assert result.stderr == "", result
    assert result.stdout.endswith("\n"), "the last line has no end"
    first, *further = result.stdout.rstrip("\n").split("\n")
    build = r"commit [0-9a-f]{7,40}( \(dirty\))?|vcs info was not included in build"
    assert re.fullmatch(rf"\d+\.\d+\.\d+; ({build})", first), result
    libraries = "\n".join(further).lower()
    for library in ("openssl", "nghttp2", "zlib"):
        assert re.search(rf"{library}\D*\d+\.\d+", libraries), f"{library} is not listed:{result}"


@pytest.mark.parametrize(
    "arguments",
    [["-version"], ["-version", "-connect-timeout=0"], ["-tls-no-verify", "-version"], ["-version", "junk", "-foo"]],
)
def test_the_version_wins_over_wrong_combinations(probe, arguments):
    assert re.match(r"\d+\.\d+\.\d+; ", probe(*arguments).ends(0).stdout)


@pytest.mark.parametrize("arguments", [["-version", "-foo"], ["-foo", "-version"]])
def test_a_parse_error_wins_over_the_version(probe, arguments):
    probe(*arguments).bad_arguments("flag provided but not defined: -foo")


# Values that fail later than the command line.


def test_a_service_that_is_no_utf8_fails_the_rpc(probe, healthy):
    probe.check(healthy.address, b"-service=\xff\xfe").rpc_failed(
        "Internal", "grpc: error while marshaling: string field contains invalid UTF-8"
    )
