"""Which weights: a name and a revision, under which a mirror and the caches of nodes keep them."""

from typing import Annotated

from pydantic import Field

from wan_pipelines.records import Record
from wan_pipelines.weights.manifest import Manifest, Sha256

SET_NAME = r"^[a-z0-9][a-z0-9._-]*$"
SET_REVISION = r"^[0-9A-Za-z][0-9A-Za-z._-]*$"


class Pin(Record):
    """One set of weights; `content` is the digest that its manifest must have, if that is known."""

    name: Annotated[str, Field(pattern=SET_NAME, max_length=120)]
    revision: Annotated[str, Field(pattern=SET_REVISION, max_length=80)]
    content: Sha256 | None = None

    @property
    def label(self) -> str:
        """Name and revision, as a file name too."""
        return f"{self.name}@{self.revision}"

    def why_not(self, manifest: Manifest) -> str:
        """Why these are other weights than the pinned ones; empty if they are those."""
        if manifest.revision != self.revision:
            return f"they are revision {manifest.revision}"
        if self.content not in (None, manifest.digest):
            return f"their content is {manifest.digest}, and the release pins {self.content}"
        return ""
