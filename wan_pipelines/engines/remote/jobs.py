"""One job on a server: made once, followed to its end, deleted when nobody wants it any more."""

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wan_pipelines.engines.remote.calls import Caller, Refused, Unanswered
from wan_pipelines.engines.remote.servers import Dialect
from wan_pipelines.errors import RenderError

log = logging.getLogger(__name__)

VIDEOS = "/v1/videos"
LISTED = {"limit": "100", "order": "desc"}
SETTLE_SECONDS = 2.0
"""So long a request that was cut off may take to show up in the server's list."""
LOST_AFTER = 3
"""Times in a row that a job must be unknown to be given up."""
DELETE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one server, for one kind of server."""

    caller: Caller
    dialect: Dialect

    def create(self, fields: Mapping[str, Any], key: str) -> str:
        """The id of a job for `fields`, which is made at most once for a `key`.

        A server without idempotency keys is looked at before it is asked again: a job that was
        not there before and is for this prompt is taken to be ours. RenderError if there are
        several such, or none can be made.
        """
        if self.dialect.idempotent:
            return self._create_by_key(fields, key)
        before = self._listed().keys()
        return self.caller.insist(lambda: self._create_by_list(fields, before))

    def get(self, job_id: str) -> dict[str, Any]:
        """The job now; RenderError when the server has lost it."""
        for _ in range(LOST_AFTER):
            try:
                return self.caller.patiently("GET", f"{VIDEOS}/{job_id}")
            except Refused as error:
                if error.status != 404:
                    raise
            self.caller.pause(self.caller.server.poll_seconds)
        raise RenderError(
            f"The server {self.caller.server.address} does not know {job_id} any more: it was "
            "deleted there, or the server was started anew. Render the shot again.",
            stage="remote",
        )

    def delete(self, job_id: str) -> None:
        """Ends and forgets a job, if the server answers soon; that it does not is only logged."""
        path = f"{VIDEOS}/{job_id}"
        try:
            self.caller.once("DELETE", path, timeout=DELETE_SECONDS)
        except (Unanswered, Refused) as error:
            log.warning("Job %s was not deleted: %s", job_id, error)

    def _create_by_key(self, fields: Mapping[str, Any], key: str) -> str:
        def make() -> tuple[str, bool]:
            request = {**self._body(fields), "headers": {"Idempotency-Key": key}}
            job = self.caller.once("POST", VIDEOS, **request)
            return _id(job), job.get("status") == "failed"

        job_id, has_failed = self.caller.insist(make)
        if has_failed:  # that was an earlier attempt's: this one is to be another
            self.caller.insist(lambda: self._forget(job_id))
            job_id, _ = self.caller.insist(make)
        return job_id

    def _forget(self, job_id: str) -> None:
        with suppress(Refused):  # gone already
            self.caller.once("DELETE", f"{VIDEOS}/{job_id}")

    def _create_by_list(self, fields: Mapping[str, Any], before: Collection[str]) -> str:
        try:
            return _id(self.caller.once("POST", VIDEOS, **self._body(fields)))
        except Unanswered as error:
            if not error.reached:
                raise
            self.caller.pause(SETTLE_SECONDS)
            found = [job for job in self._new(before) if _is_for(job, fields)]
            if len(found) > 1:
                raise RenderError(
                    f"The server {self.caller.server.address} did not answer, and has "
                    f"{len(found)} new jobs that may be the one asked for. Let no other worker "
                    "use it at the same time.",
                    stage="remote",
                ) from error
            if not found:
                raise
            return _id(found[0])

    def _new(self, before: Collection[str]) -> list[dict[str, Any]]:
        return [job for job_id, job in self._listed().items() if job_id not in before]

    def _listed(self) -> dict[str, dict[str, Any]]:
        page = self.caller.patiently("GET", VIDEOS, params=LISTED)
        data = page.get("data")
        jobs = [job for job in data if isinstance(job, dict)] if isinstance(data, list) else []
        return {str(job.get("id")): job for job in jobs}

    def _body(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        if self.dialect.body == "json":
            return {"json": dict(fields)}
        # As multipart: a part without a file name is a plain field.
        return {"files": {name: (None, _text(value)) for name, value in fields.items()}}


def _is_for(job: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether what the job tells of itself agrees with what was asked for."""
    return all(job.get(name) in (None, "", fields[name]) for name in ("prompt", "size"))


def _id(job: Mapping[str, Any]) -> str:
    job_id = job.get("id")
    if not isinstance(job_id, str) or not job_id.replace("-", "").replace("_", "").isalnum():
        raise Unanswered("a job without an id", reached=True)
    return job_id


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
