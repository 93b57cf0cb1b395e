"""What is left out here where a foreign tool is missing. (A skip would fail where `CI=true`; Go is not required.)"""

import shutil

import pytest

collect_ignore = [] if shutil.which("go") else ["test_tlog_tiles_client.py"]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return ["without Go, another project's tlog-tiles client is left out"] if collect_ignore else []
