"""Callers that ask a service all the time, and what became of every request."""

import threading
import time
from collections import Counter

import httpx
from pictures import picture


class Traffic:
    """Sends requests from several threads until it is left; ``problems`` holds what was not answered with 200.

    Args:
        server: a running one; its callers are signed in as its client is.
        service: its name.
        clients: threads.
        pause: seconds between two requests of one thread.
    """

    def __init__(self, server, service, clients=4, pause=0.02):
        self.headers = {"Authorization": server.http.headers.get("Authorization", "")}
        self.url = f"{server.address}/v1/services/{service}/predict"
        self.clients = clients
        self.pause = pause
        self.statuses = Counter()
        self.problems = []
        self.models = Counter()
        self.answered_at = []
        self._over = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self):
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def count(self):
        return sum(self.statuses.values())

    def _ask(self, number):
        body = picture(40, seed=number)
        with httpx.Client(timeout=60, trust_env=False, headers=self.headers) as http:
            while not self._over.wait(self.pause):
                try:
                    answer = http.post(self.url, files={"files": ("p.png", body, "image/png")})
                except httpx.HTTPError as error:
                    with self._lock:
                        self.statuses["broken"] += 1
                        self.problems.append(repr(error))
                    continue
                with self._lock:
                    self.statuses[answer.status_code] += 1
                    if answer.status_code == 200:
                        self.models[answer.json()["model"]] += 1
                        self.answered_at.append(time.monotonic())
                    else:
                        self.problems.append((answer.status_code, answer.headers.get("retry-after"), answer.text[:300]))

    def longest_silence(self):
        """Seconds between two answers."""
        return max((b - a for a, b in zip(self.answered_at, self.answered_at[1:], strict=False)), default=0.0)
