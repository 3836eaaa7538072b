"""`python -m wan_pipelines.weights build|verify FOLDER`: write or check a manifest."""

import argparse
import sys
from pathlib import Path

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.manifest import Manifest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m wan_pipelines.weights", description=__doc__)
    parser.add_argument("action", choices=["build", "verify"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--release", help="name of the release (default: the folder's name)")
    parser.add_argument("--revision", help="default: a digest of the content")
    parser.add_argument("--dtype", default="bfloat16", help="type of the stored tensors")
    options = parser.parse_args(arguments)
    try:
        return _build(options) if options.action == "build" else _verify(options.folder)
    except WeightsError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _build(options: argparse.Namespace) -> int:
    manifest = Manifest.build(
        options.folder,
        release=options.release or options.folder.resolve().name,
        dtype=options.dtype,
        revision=options.revision,
    )
    sys.stdout.write(f"{manifest.write(options.folder)}: {len(manifest.files)} files\n")
    return 0


def _verify(folder: Path) -> int:
    problems = Manifest.read(folder).problems(folder)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
