"""Other makers' engines: found by content, or missed with words that help."""

from pathlib import Path

import pytest

from gov_chain import engines
from gov_chain.engines import EnginesError


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("name", engines.MODULES)
def test_an_engine_not_built_says_how_to_build_it(name: str) -> None:
    with pytest.raises(EnginesError) as caught:
        engines.binary(name)
    assert caught.value.code == "engine-not-built"
    assert f"make engines ENGINES={name}" in caught.value.fix_en
    assert f"make engines ENGINES={name}" in caught.value.fix_zh


def test_an_unknown_engine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert engines.main(["../etc"]) == 1
    assert "../etc" in capsys.readouterr().err


def test_a_change_of_what_is_pinned_builds_anew(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = empty_cache / "sources" / "cometbft"
    sources.mkdir(parents=True)
    for file in ("go.mod", "go.sum"):
        (sources / file).write_bytes((engines.SOURCES / "cometbft" / file).read_bytes())
    before = engines._place("cometbft")
    monkeypatch.setattr(engines, "SOURCES", sources.parent)
    assert engines._place("cometbft") == before
    with (sources / "go.sum").open("a") as file:
        file.write("\n")
    assert engines._place("cometbft") != before


def test_modules_pin_what_they_require_and_name_no_host() -> None:
    for name in engines.MODULES:
        text = (engines.SOURCES / name / "go.mod").read_text()
        assert "replace" not in text
        assert "tool " in text
    assert "://" not in (engines.SOURCES / "go.txt").read_text()
