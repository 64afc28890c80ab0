"""Say plainly which Python is needed, before anything is installed."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"Sandglass needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
