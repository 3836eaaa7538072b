"""A worker to be killed: renders for ever, and writes its book to a file line by line."""

import json
import sys
import time
from pathlib import Path

from tests.rendering.memory_book import MemoryBook
from tests.rendering.stage import Stage, shots
from wan_pipelines.rendering.ports import Lease
from wan_pipelines.rendering.takes import Span, Take


class FileBook(MemoryBook):
    """Appends what it is told to `lines`."""

    lines: Path

    def spent(self, span: Span) -> None:
        self._write("span", span.kind, span.take_id, span.started_ns, span.ended_ns)

    def accept(self, lease: Lease, take: Take, files: tuple[str, ...]) -> None:
        super().accept(lease, take, files)
        self._write("accepted", take.id)

    def _write(self, *words: object) -> None:
        with self.lines.open("a") as stream:
            stream.write(json.dumps(words) + "\n")


def main(path: str) -> None:
    book = FileBook()
    book.lines = Path(path)
    names = [f"shot {number}" for number in range(10_000)]
    stage = Stage(book=book, hooks=dict.fromkeys(names, lambda step: time.sleep(0.01)))
    stage.render(shots(*names))


if __name__ == "__main__":
    main(sys.argv[1])
