"""``python -m sandglass.cli``: the same as the ``sandglass`` command."""

from sandglass.cli.main import main

main()
