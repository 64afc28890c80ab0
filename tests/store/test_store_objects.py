import hashlib
import resource
import subprocess
import sys
import threading

import pytest

from sandglass.core.annotation import ClassAnnotation, DocumentAnnotation
from sandglass.core.errors import Broken, NotFound
from sandglass.core.sample import Part, Sample
from sandglass.store.folders import fetch_folder, put_folder
from sandglass.store.manifest import read_manifest, write_manifest
from sandglass.store.objects import Objects


def files_of(objects):
    return [path for path in objects._folder.rglob("*") if path.is_file()]


def test_bytes_come_back_by_their_digest_and_are_stored_once(objects, tmp_path):
    data = b"some bytes" * 1000
    digest = objects.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    (tmp_path / "copy").write_bytes(data)
    assert objects.put_file(tmp_path / "copy") == (digest, len(data))
    assert objects.get(digest) == data
    assert b"".join(objects.stream(digest, 7)) == data
    assert objects.size(digest) == len(data)
    assert len(files_of(objects)) == 1


def test_a_missing_object_is_named(objects):
    for ask in (objects.get, objects.size, lambda digest: list(objects.stream(digest))):
        with pytest.raises(NotFound) as caught:
            ask("ab" * 32)
        assert caught.value.code == "object_missing"
    objects.delete("ab" * 32)


def test_a_damaged_object_is_not_given_out(objects):
    digest = objects.put(b"whole")
    files_of(objects)[0].write_bytes(b"wrong")
    with pytest.raises(Broken) as caught:
        objects.get(digest)
    assert caught.value.code == "object_damaged"


def test_many_threads_may_store_the_same_bytes(objects):
    threads = [threading.Thread(target=objects.put, args=(b"x" * 100_000,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files_of(objects)) == 1


FULL = """
import resource, signal, sys
from sandglass.core.errors import Broken
from sandglass.store.objects import Objects
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
objects = Objects(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    objects.put(b"y" * 1_000_000)
except Broken as error:
    print(error.code)
"""


def test_a_full_disk_is_said_and_leaves_nothing_half_stored(tmp_path):
    assert resource.RLIMIT_FSIZE is not None
    url = (tmp_path / "small").as_uri()
    said = subprocess.run([sys.executable, "-c", FULL, url], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "storage_full"
    assert [path for path in (tmp_path / "small").rglob("*") if path.is_file()] == []


def test_a_store_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Broken) as caught:
        Objects((tmp_path / "file" / "objects").as_uri())
    assert caught.value.code == "storage_unwritable"


def test_a_manifest_gives_back_its_samples(objects):
    samples = [
        Sample(
            path="a.jpg", width=3, height=4, digest="0" * 64, annotation=ClassAnnotation(labels=("猫",)), part=Part.TEST
        ),
        Sample(path="b.jpg", group="g", annotation=DocumentAnnotation()),
        Sample(path="c.jpg"),
    ]
    digest, count = write_manifest(objects, samples)
    assert count == 3
    assert list(read_manifest(objects, digest)) == samples
    assert write_manifest(objects, samples)[0] == digest
    with pytest.raises(ValueError, match="does not follow"):
        write_manifest(objects, samples[::-1])


def test_a_folder_comes_back_whole_or_not_at_all(objects, tmp_path):
    source = tmp_path / "model"
    (source / "sub").mkdir(parents=True)
    (source / "a.txt").write_text("a")
    (source / "sub" / "b.bin").write_bytes(b"b" * 10)
    files = put_folder(objects, source)
    assert set(files) == {"a.txt", "sub/b.bin"}
    target = fetch_folder(objects, files, tmp_path / "copy")
    assert (target / "sub" / "b.bin").read_bytes() == b"b" * 10
    assert fetch_folder(objects, files, target) == target
    objects.delete(files["sub/b.bin"]["digest"])
    with pytest.raises(NotFound):
        fetch_folder(objects, files, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "model", "objects"]
