"""A wrong or unsafe environment stops at start with one line that names the variable to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from gov_chain.environment import UnsafeSettings, read

PRODUCTION = {
    "GOVCHAIN_ENV": "production",
    "GOVCHAIN_BASE_URL": "https://node.example",
    "GOVCHAIN_SECRET_KEY": "x" * 50,
}


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"GOVCHAIN_ENV": "staging"}, "GOVCHAIN_ENV"),
        ({"GOVCHAIN_WORKERS": "many"}, "GOVCHAIN_WORKERS"),
        ({"GOVCHAIN_WORKERS": "0"}, "GOVCHAIN_WORKERS"),
        ({"GOVCHAIN_WORKERS": "4"}, "GOVCHAIN_REDIS_URL"),
        ({"GOVCHAIN_BASE_URL": "http://10.0.0.5:8000"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "http://localhost.evil.example"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "http://127.0.0.1@evil.example"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "https://node.example/path"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "https://node.example?x=1"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "https://node.example:port"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "https://[::1"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_BASE_URL": "node.example"}, "GOVCHAIN_BASE_URL"),
        ({"GOVCHAIN_DATABASE_URL": "mysql://x"}, "GOVCHAIN_DATABASE_URL"),
        ({"GOVCHAIN_KEYS": "vault"}, "GOVCHAIN_KEYS"),
        ({"GOVCHAIN_LEDGER_ORIGIN": "two words"}, "GOVCHAIN_LEDGER_ORIGIN"),
        ({"GOVCHAIN_LEDGER_ORIGIN": "a+b"}, "GOVCHAIN_LEDGER_ORIGIN"),
        (PRODUCTION, "GOVCHAIN_KEYS"),
        (PRODUCTION | {"GOVCHAIN_SECRET_KEY": "short"}, "GOVCHAIN_"),
        ({"GOVCHAIN_ENV": "production"}, "GOVCHAIN_"),
    ],
)
def test_an_unsafe_setting_is_refused_in_one_line(environ: dict[str, str], names: str) -> None:
    with pytest.raises(UnsafeSettings) as stopped:
        read(environ)
    assert names in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_nothing_set_is_a_development_node_on_loopback() -> None:
    env = read({})
    assert (env.name, env.base_url, env.keys, env.production) == (
        "development",
        "http://localhost:8000",
        "local",
        False,
    )


def test_https_on_any_host_is_accepted() -> None:
    assert read({"GOVCHAIN_BASE_URL": "https://192.168.1.5:8443/"}).base_url == "https://192.168.1.5:8443"


WITNESS = "witness.example+0c701a58+BPbh3Yw5Sjc2x3iYiUOUQbr5BPkQ9rxOXqxGmdnUz7ab"


def test_witnesses_are_read_from_a_list_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "witnesses"
    file.write_text(f"# ours\n\n{WITNESS}   https://witness.example/w  # an auditor\n")
    listed = read({"GOVCHAIN_WITNESSES": f"{WITNESS} https://witness.example/w,"})
    assert listed.witnesses == ((WITNESS, "https://witness.example/w"),)
    assert read({"GOVCHAIN_WITNESSES": f"@{file}"}).witnesses == listed.witnesses
    assert read({}).witnesses == ()


@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        WITNESS,
        f"{WITNESS} http://witness.example",
        f"{WITNESS} ftp://localhost",
        f"{WITNESS} https://[",
        f"{WITNESS} https://witness.example:99999",
        f"{WITNESS.replace('0c701a58', '1c701a58')} https://witness.example",
        f"{WITNESS.replace('+BPb', '+CPb')} https://witness.example",
        f"{WITNESS} https://witness.example, {WITNESS} https://other.example",
        "@/nowhere/at/all",
    ],
)
def test_malformed_witnesses_stop_with_one_line(value: str) -> None:
    with pytest.raises(UnsafeSettings) as caught:
        read({"GOVCHAIN_WITNESSES": value})
    assert str(caught.value).startswith("GOVCHAIN_WITNESSES ")
    assert "\n" not in str(caught.value)
