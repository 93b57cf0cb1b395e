from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path / "ledger")
    yield made
    made.engine.close()
    made.reader.close()
