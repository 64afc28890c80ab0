"""The Python client: what a script or the command line uses to talk to a Sandglass server.

>>> from sandglass.client import Client
>>> with Client("http://127.0.0.1:8765") as client:      # doctest: +SKIP
...     client.predict("receipts", ["a.jpg"], keys="all")
"""

from sandglass.client.client import Client, Json

__all__ = ["Client", "Json"]
