#!/usr/bin/env python
"""Django's own entry point; `govchain` (gov_chain/cli.py) is the one people use."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gov_chain.settings")
    execute_from_command_line(sys.argv)
