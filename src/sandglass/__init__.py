"""Sandglass turns labelled pictures into a live recognition service within a time limit."""

__version__ = "0.1.0"
