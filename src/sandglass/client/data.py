"""The client's calls about data: datasets, imports, samples, labels, versions, exports."""

import mimetypes
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandglass.core.errors import InvalidInput, SandglassError
from sandglass.core.text import Text

Json = Any

FINAL_IMPORT = ("checked", "done", "failed", "cancelled")
BATCH_FILES = 50
BATCH_BYTES = 8 * 1024**2


class DataCalls(ABC):
    """What the client asks about data; the transport is the client's."""

    @abstractmethod
    def request(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401
        """Send one request and return the parsed answer."""

    @abstractmethod
    def download(self, path: str, target: Path) -> int:
        """Write an answer's bytes to a file as they come; returns how many."""

    @abstractmethod
    def _poll(self, path: str, ended: Callable[[Json], bool], seen: Callable[[Json], None]) -> Json: ...

    # Datasets

    def datasets(self, **filters: str | int) -> Json:
        """The datasets, a page."""
        return self.request("GET", "/datasets", params=filters)

    def dataset(self, name: str) -> Json:
        """One dataset by name or id."""
        return self.request("GET", f"/datasets/{quote(name, safe='')}")

    def create_dataset(self, name: str, scenario: str, *, description: str = "", tags: Sequence[str] = ()) -> Json:
        """Make an empty dataset."""
        body = {"name": name, "scenario": scenario, "description": description, "tags": list(tags)}
        return self.request("POST", "/datasets", json=body)

    def change_dataset(self, name: str, **changes: str | Sequence[str]) -> Json:
        """Change ``name``, ``description`` or ``tags``."""
        return self._data("PATCH", name, json=changes)

    def delete_dataset(self, name: str) -> None:
        """Delete a dataset that no task uses."""
        self._data("DELETE", name)

    def _data(self, method: str, name: str, path: str = "", **options: Any) -> Json:  # noqa: ANN401
        return self.request(method, f"/datasets/{quote(name, safe='')}{path}", **options)

    # Imports

    def import_folder(
        self,
        folder: Path,
        *,
        dataset: str,
        scenario: str,
        format: str = "auto",  # noqa: A002
        split_file: Path | None = None,
        part: str | None = None,
        label_map: dict[str, str | None] | None = None,
        confirm: bool = True,
    ) -> Json:
        """Start the import of a folder (or archive) that the server can see."""
        body = {
            "dataset": dataset,
            "scenario": scenario,
            "folder": str(folder.absolute()),
            "format": format,
            "split_file": None if split_file is None else str(split_file.absolute()),
            "part": part,
            "label_map": label_map or {},
            "confirm": confirm,
        }
        return self.request("POST", "/imports", json=body)

    def upload_folder(self, folder: Path, seen: Callable[[int, int], None] = lambda _done, _every: None) -> str:
        """Send the files of a folder (or one archive) to the server; returns the upload's id for an import.

        Args:
            folder: whose files keep their relative paths; hidden ones stay behind.
            seen: is told how many of how many bytes have arrived.
        """
        files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
        root = folder.parent if folder.is_file() else folder
        names = {path: path.relative_to(root).as_posix() for path in files}
        names = {path: name for path, name in names.items() if not any(p.startswith(".") for p in Path(name).parts)}
        every, done = sum(path.stat().st_size for path in names), 0
        upload: Json = self.request("POST", "/uploads")
        batch: list[tuple[Path, str]] = []
        for path, name in names.items():
            size = path.stat().st_size
            if size > BATCH_BYTES:
                self._upload_parts(upload["id"], path, name, upload["part_bytes"])
                done += size
                seen(done, every)
                continue
            batch.append((path, name))
            if len(batch) == BATCH_FILES or sum(item.stat().st_size for item, _ in batch) > BATCH_BYTES:
                done += self._upload_batch(upload["id"], batch)
                seen(done, every)
                batch = []
        if batch:
            done += self._upload_batch(upload["id"], batch)
            seen(done, every)
        return str(upload["id"])

    def _upload_batch(self, upload: str, batch: Sequence[tuple[Path, str]]) -> int:
        with ExitStack() as stack:
            files = []
            for path, name in batch:
                kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
                files.append(("files", (name, stack.enter_context(path.open("rb")), kind)))
            taken = self.request("POST", f"/uploads/{upload}/files", files=files)
        return sum(file["size"] for file in taken["files"])

    def _upload_parts(self, upload: str, path: Path, name: str, part_bytes: int) -> None:
        size, modified = path.stat().st_size, int(path.stat().st_mtime * 1000)
        with path.open("rb") as file:
            for offset in range(0, size, part_bytes):
                query = {"path": name, "size": size, "offset": offset, "modified": modified}
                self.request("PUT", f"/uploads/{upload}/files", params=query, content=file.read(part_bytes))

    def start_import(self, **form: Any) -> Json:  # noqa: ANN401
        """Start an import from a form as `POST /v1/imports` takes it, for example of an ``upload``."""
        return self.request("POST", "/imports", json=form)

    def confirm_import(self, name: str, label_map: dict[str, str | None] | None = None) -> Json:
        """Store what the check of an import let through."""
        body = None if label_map is None else {"label_map": label_map}
        return self.request("POST", f"/imports/{name}/confirm", json=body)

    def cancel_import(self, name: str) -> Json:
        """Give an import up."""
        return self.request("POST", f"/imports/{name}/cancel")

    def imports(self, **filters: str | int) -> Json:
        """Imports, the newest first."""
        return self.request("GET", "/imports", params=filters)

    def import_findings(self, name: str, **filters: str | int) -> Json:
        """All findings of an import, a page."""
        return self.request("GET", f"/imports/{name}/findings", params=filters)

    def wait_for_import(self, name: str, seen: Callable[[Json], None] = lambda _: None) -> Json:
        """Wait until an import has ended or waits for a confirmation; ``seen`` is told every state.

        Raises:
            SandglassError: the import failed; nothing of it is stored.
        """
        state = self._poll(f"/imports/{name}", lambda job: job["status"] in FINAL_IMPORT, seen)
        if state["status"] == "failed":
            raise stored_error(state["error"])
        return state

    # Samples and labels

    def samples(self, dataset: str, **filters: str | int) -> Json:
        """Samples of a draft, a page."""
        return self._data("GET", dataset, "/samples", params=filters)

    def change_samples(self, dataset: str, action: str, selection: Json, **more: Any) -> Json:  # noqa: ANN401
        """Mark, label or remove many samples at once."""
        return self._data("POST", dataset, "/samples/bulk", json={"action": action, "selection": selection, **more})

    def labels(self, dataset: str) -> Json:
        """Labels or fields of a draft."""
        return self._data("GET", dataset, "/labels")

    def rename_label(self, dataset: str, label: str, to: str, *, merge: bool = False) -> Json:
        """Rename a label on all samples, or merge it into another."""
        return self._data("POST", dataset, "/labels/rename", json={"label": label, "to": to, "merge": merge})

    def delete_label(self, dataset: str, label: str) -> Json:
        """Take a label off all samples."""
        return self._data("POST", dataset, "/labels/delete", json={"label": label})

    def dictionary(self, dataset: str) -> Json:
        """The key dictionary of a dataset of documents."""
        return self._data("GET", dataset, "/dictionary")

    def set_dictionary(self, dataset: str, dictionary: Json) -> Json:
        """Replace the key dictionary."""
        return self._data("PUT", dataset, "/dictionary", json=dictionary)

    # Versions

    def versions(self, dataset: str) -> Json:
        """Published versions, the newest first."""
        return self._data("GET", dataset, "/versions")

    def publish_dataset(self, dataset: str) -> Json:
        """Publish the draft; ``new`` says whether there was anything to publish."""
        return self._data("POST", dataset, "/versions")

    def compare_versions(self, dataset: str, a: int, b: int | None = None, **filters: str | int) -> Json:
        """What differs between two versions, or between a version and the draft."""
        query = {"a": a, **filters} if b is None else {"a": a, "b": b, **filters}
        return self._data("GET", dataset, "/compare", params=query)

    def restore_version(self, dataset: str, number: int) -> Json:
        """Make the draft equal to a version."""
        return self._data("POST", dataset, f"/versions/{number}/restore")

    def delete_version(self, dataset: str, number: int) -> None:
        """Delete a version that no task uses."""
        self._data("DELETE", dataset, f"/versions/{number}")

    # Exports

    def export_folder(self, dataset: str, folder: Path, format: str, version: int | None = None) -> Json:  # noqa: A002
        """Write a dataset to a folder that the server can see, and wait for it."""
        body = {"format": format, "folder": str(folder.absolute()), "version": version}
        return self._data("POST", dataset, "/export", json=body)

    def export_archive(
        self,
        dataset: str,
        archive: Path,
        format: str,  # noqa: A002
        version: int | None = None,
        seen: Callable[[Json], None] = lambda _: None,
    ) -> Json:
        """Download a dataset as a zip archive.

        Raises:
            SandglassError: the export failed.
        """
        job = self._data("POST", dataset, "/exports", json={"format": format, "version": version})
        state = self._poll(f"/exports/{job['id']}", lambda seen_now: seen_now["status"] != "writing", seen)
        if state["status"] == "failed":
            raise stored_error(state["error"])
        self.download(f"/exports/{job['id']}/download", archive)
        self.request("DELETE", f"/exports/{job['id']}")
        return state


def poll(look: Callable[[], Json], ended: Callable[[Json], bool], seen: Callable[[Json], None]) -> Json:
    """Look again and again, ever slower up to once a second, until ``ended``."""
    pause = 0.1
    while True:
        state = look()
        seen(state)
        if ended(state):
            return state
        time.sleep(pause)
        pause = min(1.0, pause * 1.3)


def stored_error(problem: Json) -> SandglassError:
    """A failure that the server wrote down, as an error."""
    message, action = problem["message"], problem.get("action")
    return InvalidInput(problem["code"], _text(message), _text(action) if action else None)


def _text(value: Json) -> Text:
    return Text(**value) if isinstance(value, dict) else Text(en=value, zh=value)
