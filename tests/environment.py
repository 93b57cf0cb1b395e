"""Tests never touch a developer's node: a data directory of their own, and nothing from the shell.

A pytest plugin (`-p tests.environment` in pyproject.toml) and not part of conftest.py, because
pytest-django reads Django's settings before any conftest is loaded.
"""

import os
import tempfile

_SCRATCH = tempfile.TemporaryDirectory(prefix="govchain-tests-")

for _name in [name for name in os.environ if name.startswith("GOVCHAIN_")]:
    del os.environ[_name]
os.environ["GOVCHAIN_ENV"] = "test"
os.environ["GOVCHAIN_DATA"] = _SCRATCH.name
os.environ["GOVCHAIN_BASE_URL"] = "http://localhost:8000"
