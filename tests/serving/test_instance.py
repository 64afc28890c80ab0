import asyncio
import base64
import io
import json
import signal
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from sandglass.core.errors import Busy
from sandglass.serving.gateway import Backend, Gateway, Route, Routes
from sandglass.serving.meter import Meter


def grey(value, kind="PNG", size=(64, 48)):
    buffer = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0]), value, np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def files(*pictures):
    return [("files", (f"p{i}.png", data, "image/png")) for i, data in enumerate(pictures)]


def best(result):
    return result["labels"][0]["label"]


def test_files_are_answered_in_their_order(shared):
    answer = shared.http.post("/predict", files=files(grey(10), grey(240), grey(20))).json()
    assert [best(result) for result in answer["results"]] == ["dark", "light", "dark"]
    assert [result["file"] for result in answer["results"]] == ["p0.png", "p1.png", "p2.png"]
    assert (answer["service"], answer["model"]) == ("s", "m")
    first = answer["results"][0]
    assert (first["width"], first["height"]) == (64, 48)
    assert first["timings"]["total"] >= first["timings"]["decode"] >= 0


def test_json_with_base64_is_answered_like_files(shared):
    image = {"name": "x.png", "base64": base64.b64encode(grey(240)).decode()}
    answer = shared.http.post("/predict", json={"images": [image], "options": {"threshold": 0}}).json()
    assert best(answer["results"][0]) == "light"
    assert answer["results"][0]["file"] == "x.png"


def test_one_bad_picture_leaves_the_others_their_answers(shared):
    answer = shared.http.post("/predict", files=files(grey(10), b"no picture", grey(240))).json()
    assert [("error" in result) for result in answer["results"]] == [False, True, False]
    assert answer["results"][1]["error"]["code"] == "picture_unreadable"


HUGE = io.BytesIO()
Image.new("1", (12000, 12000)).save(HUGE, "PNG")

BAD = [
    ({"files": files(b"")}, 422, "picture_empty"),
    ({"files": files(b"text")}, 422, "picture_unreadable"),
    ({"files": files(grey(1, "JPEG", (300, 300))[:200])}, 422, "picture_unreadable"),
    ({"files": files(HUGE.getvalue())}, 413, "picture_too_large"),
    ({"data": {"keys": "all"}, "files": {"other": ("", b"")}}, 422, "no_pictures"),
    ({"files": files(grey(1)), "data": {"threshold": "7"}}, 422, "invalid_options"),
    ({"files": files(grey(1)), "data": {"keys": "some"}}, 422, "invalid_options"),
    ({"files": files(grey(1)), "data": {"keys": "custom"}}, 422, "invalid_options"),
    ({"files": files(grey(1)), "data": {"options": "{broken"}}, 422, "invalid_options"),
    ({"json": {"images": []}}, 422, "invalid_request"),
    ({"json": {"images": [{"base64": "***"}]}}, 422, "invalid_base64"),
    ({"json": {"images": [{"url": "http://127.0.0.1/x.png"}]}}, 422, "url_not_allowed"),
    ({"content": b"{", "headers": {"content-type": "application/json"}}, 422, "invalid_request"),
    ({"content": b"x", "headers": {"content-type": "text/plain"}}, 422, "invalid_request"),
]


@pytest.mark.parametrize(("request_", "status", "code"), BAD, ids=[f"{i}-{row[2]}" for i, row in enumerate(BAD)])
def test_bad_requests_are_refused_with_a_reason(shared, request_, status, code):
    answer = shared.http.post("/predict", **request_)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]


def test_reasons_come_in_the_callers_language(shared):
    answer = shared.http.post("/predict", files=files(b""), headers={"accept-language": "zh-CN"})
    assert "空文件" in answer.json()["detail"]


def test_many_clients_get_their_own_answers(shared):
    wrong = []

    def ask(value):
        with httpx.Client(base_url=shared.address, timeout=30, trust_env=False) as http:
            for _ in range(5):
                answer = http.post("/predict", files=files(grey(value))).json()
                if best(answer["results"][0]) != ("dark" if value < 128 else "light"):
                    wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(value,)) for value in (5, 250) * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert shared.http.get("/stats").json()["running"] == 0


def test_an_answer_does_not_depend_on_its_neighbours(shared):
    alone = shared.http.post("/predict", files=files(grey(77))).json()["results"][0]["labels"]
    among = shared.http.post("/predict", files=files(grey(200), grey(77), grey(3))).json()["results"][1]["labels"]
    assert alone == among


def test_time_up_ends_the_process_and_more_time_is_noticed(instances, tmp_path):
    lease = tmp_path / "lease"
    lease.write_text(json.dumps({"until": time.time() + 60}))
    instance = instances(extra=("--lease-file", str(lease))).wait()
    assert instance.process.poll() is None
    lease.write_text(json.dumps({"until": time.time() - 1}))
    assert instance.process.wait(15) == 0
    assert "time is up" in instance.log.read_text()


def test_a_request_under_way_is_finished_before_the_end(instances):
    instance = instances(pause=1.5).wait()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(instance.http.post("/predict", files=files(grey(10)))))
    thread.start()
    time.sleep(0.5)
    instance.process.send_signal(signal.SIGTERM)
    thread.join()
    assert [answer.status_code for answer in answers] == [200]
    assert instance.process.wait(15) == 0


def test_a_broken_model_is_said_in_the_log(instances, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    instance = instances(model=tmp_path / "broken")
    assert instance.process.wait(30) == 3
    assert "cannot be loaded" in instance.log.read_text()
    assert not instance.ready.exists()


class FixedRoutes(Routes):
    def __init__(self, route):
        self.route = route

    def known(self, service):
        return self.route


def gateway_over(*running, weights=None, **route):
    backends = tuple(
        Backend(f"i{number}", instance.address, f"v{number}", (weights or [100] * 9)[number], version=number)
        for number, instance in enumerate(running)
    )
    return Gateway(FixedRoutes(Route("sv", "s", backends, **route)), Meter(), patience=0.5)


def encode(picture):
    request = httpx.Request("POST", "http://x", files=files(picture))
    return request.read(), {"content-type": request.headers["content-type"]}


async def ask(gateway, picture, **more):
    body, headers = encode(picture)

    async def read(most):
        return body

    return await gateway.predict("s", headers | more, read, request_id="r")


def test_the_gateway_passes_requests_on_and_survives_the_death_of_an_instance(instances):
    one, two = instances("one").wait(), instances("two").wait()

    async def scene():
        gateway = gateway_over(one, two)
        before = await asyncio.gather(*(ask(gateway, grey(10)) for _ in range(10)))
        one.process.kill()
        one.process.wait()
        after = await asyncio.gather(*(ask(gateway, grey(10)) for _ in range(10)))
        two.process.kill()
        two.process.wait()
        with pytest.raises(Busy) as caught:
            await ask(gateway, grey(10))
        await gateway.close()
        return [answer.status for answer in before + after], caught.value.code, gateway._meter.take()["sv"]["service"]

    statuses, code, counters = asyncio.run(scene())
    assert statuses == [200] * 20
    assert code == "no_instance"
    assert (counters.calls, counters.success, counters.error) == (21, 20, 1)


def test_traffic_follows_the_weights_of_versions(instances):
    one, two = instances("one").wait(), instances("two").wait()

    async def scene():
        gateway = gateway_over(one, two, weights=[0, 100])
        for _ in range(6):
            assert (await ask(gateway, grey(10))).status == 200
        await gateway.close()

    asyncio.run(scene())
    assert one.http.get("/stats").json()["calls"] == 0
    assert two.http.get("/stats").json()["calls"] == 6
