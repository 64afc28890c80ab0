"""What a browser must load before the console's first page shows, compressed; fails above `LIMIT`."""

import json
import sys
from pathlib import Path

import console_build

ROOT = Path(__file__).resolve().parents[1]
ENTRY, FIRST_PAGE = "index.html", "src/features/home/HomePage.tsx"
LIMIT = 350_000
"""Bytes of the first load, gzip."""


def closure(manifest: dict[str, dict[str, object]], *names: str) -> list[str]:
    """Files of some chunks and of everything that they import statically, with their styles."""
    files: dict[str, None] = {}
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        chunk = manifest[name]
        files[str(chunk["file"])] = None
        files |= dict.fromkeys(chunk.get("css", []))  # type: ignore[call-overload]
        waiting += chunk.get("imports", [])  # type: ignore[operator]
    return list(files)


def main() -> None:
    """Print the sizes and leave with 1 when the first load is too large."""
    console_build.build(ROOT)
    folder = ROOT / console_build.TARGET
    manifest = json.loads((folder / ".vite/manifest.json").read_text("utf-8"))

    def size(file: str) -> int:
        packed = folder / f"{file}.gz"
        return (packed if packed.exists() else folder / file).stat().st_size

    first = closure(manifest, ENTRY, FIRST_PAGE)
    lazy = {chunk["file"] for chunk in manifest.values()} - set(first)
    print("First load, gzip:")
    for file in sorted(first, key=size, reverse=True):
        print(f"  {size(file) / 1000:8.1f} KB  {file}")
    total = sum(map(size, first))
    print(f"  {total / 1000:8.1f} KB  of at most {LIMIT / 1000:.0f} KB\nLoaded when needed:")
    for file in sorted(lazy, key=size, reverse=True):
        print(f"  {size(file) / 1000:8.1f} KB  {file}")
    if total > LIMIT:
        sys.exit(f"The first load is {(total - LIMIT) / 1000:.1f} KB too large: make something lazy.")


if __name__ == "__main__":
    main()
