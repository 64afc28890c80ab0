"""The command line: every thing the console can do, for people (tables, progress) and for scripts (``--json``)."""
