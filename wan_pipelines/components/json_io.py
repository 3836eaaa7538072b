"""Values between the ops of one run, as JSON in the object store."""

import json
from typing import Any

import dagster as dg

from wan_pipelines.components.resource import StudioDoor


class JsonIOManager(dg.IOManager):
    """Small values only (shard descriptions, reports): everything else is in the ledger.

    A value belongs to its run and step, so that runs of one edition never read each other's.
    """

    def __init__(self, studio: StudioDoor) -> None:
        self._studio = studio

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if obj is not None:
            self._studio.open().store.put_bytes(_key(context), json.dumps(obj).encode())

    def load_input(self, context: dg.InputContext) -> Any:
        assert context.upstream_output is not None
        return json.loads(self._studio.open().store.read_bytes(_key(context.upstream_output)))


def _key(context: dg.OutputContext) -> str:
    step = context.step_key.replace("[", "/").replace("]", "")
    return f"runs/{context.run_id}/{step}/{context.name}{_mapped(context)}.json"


def _mapped(context: dg.OutputContext) -> str:
    """What tells the outputs of one dynamic output apart."""
    return f"-{context.mapping_key}" if context.mapping_key else ""
