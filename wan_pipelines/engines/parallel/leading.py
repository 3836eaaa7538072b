"""The process that leads: it starts the others, hands them its forwards, and looks after them."""

import logging
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Event, Thread
from typing import IO, Any, Final

from wan_pipelines.engines.parallel.calls import END, Call, send, shapes_of
from wan_pipelines.engines.parallel.joining import Membership
from wan_pipelines.engines.release_parts import Lora
from wan_pipelines.errors import EngineError

log = logging.getLogger(__name__)

FOLLOWER: Final = "wan_pipelines.engines.parallel.follower"
EXPERTS: Final = ("transformer", "transformer_2")
END_SECONDS: Final = 10.0
NOTICE_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.05
GRACE_SECONDS: Final = 30.0
"""So long a forward may go on without one of its processes; NCCL would wait for it for ever."""
FORSAKEN: Final = 76


@dataclass(eq=False)
class Follower:
    """A process that follows, of rank 1 and up; what it says on standard error is in `said`."""

    rank: int
    process: subprocess.Popen[str]
    said: IO[str]

    def tell(self, line: str) -> None:
        """Whether it is still there to hear it is seen by who waits for it."""
        assert self.process.stdin
        with suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(line)
            self.process.stdin.flush()

    @property
    def last_words(self) -> str:
        self.said.seek(0)
        lines = [line.strip() for line in self.said.read().splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing."


@dataclass(eq=False)
class Company:
    """The processes that follow this one. When one of them ends, so do the others."""

    followers: list[Follower]
    folder: TemporaryDirectory[str]
    _ending: bool = False
    _broken: str = ""
    _noticed: Event = field(default_factory=Event)
    _apart: Event = field(default_factory=Event)
    _hooks: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._apart.set()
        for follower in self.followers:
            Thread(target=self._watch, args=(follower,), daemon=True).start()

    @property
    def is_broken(self) -> bool:
        return bool(self._broken)

    def meet(self, member: Membership) -> None:
        """Waits until all are there; EngineError when one ends before."""
        errors: list[Exception] = []

        def join() -> None:
            try:
                member.join()
            except (RuntimeError, ValueError) as error:
                errors.append(error)

        joining = Thread(target=join, daemon=True)  # torch gives up waiting after half an hour
        joining.start()
        while joining.is_alive() and not self._noticed.is_set():
            joining.join(POLL_SECONDS)
        if self._noticed.is_set() or errors:
            self.end()
            raise EngineError(self._broken or str(errors[0]))

    def lead(self, pipeline: Any, loras: Callable[[], tuple[Lora, ...]]) -> None:
        """From now on forwards of the pipeline's experts are done together."""
        for name in EXPERTS:
            expert = getattr(pipeline, name)
            if expert is None:
                continue

            def call(_module: Any, _given: Any, named: dict[str, Any], name: str = name) -> None:
                self._call(name, named, loras())

            def done(*_: Any) -> None:
                self._apart.set()

            self._hooks += (
                expert.register_forward_pre_hook(call, with_kwargs=True),
                expert.register_forward_hook(done),
            )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, what fails because one of the others died is an EngineError that says so.

        After any other failure of a forward they are ended, too: they wait for it to go on.
        """
        try:
            yield
        except Exception as error:
            if self._apart.is_set():
                raise
            self._apart.set()
            if self.notices():
                raise EngineError(self._broken) from error
            self._break("A forward failed in the process that leads.")
            raise

    def notices(self) -> bool:
        """Has one of the others died, which may be a moment ago?"""
        return self._noticed.wait(NOTICE_SECONDS)

    def abandon(self) -> str:
        """Ends the others, whatever they are at; why they are of no use any more."""
        self._break(self._broken or "The pipeline that leads did not load.")
        self.end()
        return self._broken

    def end(self) -> None:
        """Tells the others to end, and sees to it; may be called twice."""
        from torch import distributed

        if self._ending:
            return
        self._ending = True
        for hook in self._hooks:
            hook.remove()
        for follower in self.followers:
            follower.tell(END)
        for follower in self.followers:
            try:
                follower.process.wait(0 if self._broken else END_SECONDS)
            except subprocess.TimeoutExpired:
                follower.process.kill()
                follower.process.wait()
            _close(follower)
        if distributed.is_initialized():
            distributed.destroy_process_group()
        self.folder.cleanup()

    def _call(self, expert: str, named: dict[str, Any], loras: tuple[Lora, ...]) -> None:
        from diffusers.models.attention_dispatch import (
            AttentionBackendName,
            _AttentionBackendRegistry,
        )

        if self._broken:
            raise EngineError(self._broken)
        self._apart.clear()
        tensors = {name: value for name, value in named.items() if hasattr(value, "dtype")}
        backend, _ = _AttentionBackendRegistry.get_active_backend()
        call = Call(
            expert,
            shapes_of(tensors),
            AttentionBackendName(backend).value,
            tuple(lora.model_dump() for lora in loras),
        )
        for follower in self.followers:
            follower.tell(call.to_line())
        send(tensors)

    def _break(self, reason: str) -> None:
        self._broken = reason
        for follower in self.followers:
            follower.process.kill()
        self._noticed.set()

    def _watch(self, follower: Follower) -> None:
        status = follower.process.wait()
        if self._ending or self._broken:
            return
        reason = (
            f"Process {follower.rank} of those that share a shot ended with {status}: "
            f"{follower.last_words} The engine is loaded again for the next shot."
        )
        log.error("%s", reason)
        self._break(reason)
        if not self._apart.wait(GRACE_SECONDS):
            log.critical("A forward waits for a process that is gone. This one ends, too.")
            os._exit(FORSAKEN)


@contextmanager
def gathered(member: Membership | None) -> Iterator[Company | None]:
    """The company for a pipeline that is loaded inside; it does not outlive a failure to load."""
    if member is None:
        yield None
        return
    company = _gather(member)
    try:
        yield company
    except Exception as error:
        died = isinstance(error, RuntimeError) and company.notices()
        reason = company.abandon()
        if died:
            raise EngineError(reason) from error
        raise


def _gather(member: Membership) -> Company:
    """Starts the processes that follow `member`, which is this one, and waits until they are there.

    EngineError when one of them does not come.
    """
    folder = TemporaryDirectory(prefix="wan-meeting-")
    meeting = Path(folder.name) / "meeting"
    followers = [
        _start(replace(member, meeting=meeting, rank=rank)) for rank in range(1, member.size)
    ]
    company = Company(followers, folder)
    weakref.finalize(company, _kill, [follower.process for follower in followers])
    company.meet(replace(member, meeting=meeting))
    return company


def _start(member: Membership) -> Follower:
    said = TemporaryFile("w+")  # noqa: SIM115  closed when the follower has ended
    process = subprocess.Popen(
        [sys.executable, "-m", FOLLOWER],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=said,
        text=True,
    )
    follower = Follower(member.rank, process, said)
    follower.tell(member.to_line())
    return follower


def _close(follower: Follower) -> None:
    assert follower.process.stdin
    with suppress(BrokenPipeError):
        follower.process.stdin.close()
    follower.said.close()


def _kill(processes: list[subprocess.Popen[str]]) -> None:
    """At the end of this process, of those that nobody ended."""
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()
