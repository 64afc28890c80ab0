"""Serving: a process that answers with one model (instance), and the gateway that spreads requests over instances."""
