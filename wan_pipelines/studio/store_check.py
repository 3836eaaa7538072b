"""Is the store the one that the ledger's files were put into, or an empty mount point?

Without this question, a volume that is not mounted would look like a store whose videos are all
lost, and every one of them would be rendered, and paid for, again.
"""

from wan_pipelines.errors import StorageError
from wan_pipelines.ledger.reports import newest_files
from wan_pipelines.studio.studio import Studio

MARK = "store.txt"
TEXT = b"""\
This is a store of wan-pipelines. This file tells it from an empty mount point: leave it here.
"""
LOOKED_FOR = 20


def check_store(studio: Studio) -> None:
    """StorageError when none of the files is there that were published last, nor the mark.

    Marks a store that is new, or whose files are there.
    """
    if studio.store.stat(MARK):
        return
    files = newest_files(studio.ledger, LOOKED_FOR)
    if files and not any(studio.store.stat(key) for key in files):
        raise StorageError(
            f"The store does not hold the videos that the ledger knows: not even {MARK} is there. "
            "If it is a volume, mount it; or correct `store` of the environment. If its files are "
            f"lost for good, create {studio.store.uri(MARK)}: then the videos are rendered again."
        )
    studio.store.create(MARK, TEXT)
