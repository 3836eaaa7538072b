"""Where the time of a program goes, by functions that are replaced by timed ones for a while."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from inspect import isgenerator
from threading import Lock, local
from time import perf_counter
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Part:
    """The function or method `name` of `owner`, and what its time counts as."""

    owner: Any
    name: str
    label: str


@dataclass
class Stopwatch:
    """Wall seconds by label. A part within another counts for itself alone.

    Threads are timed each on their own, so that the sum can exceed the time that has passed.
    """

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _open: local = field(default_factory=local)
    _guard: Lock = field(default_factory=Lock)

    @contextmanager
    def over(self, parts: Sequence[Part]) -> Iterator[None]:
        with ExitStack() as stack:
            for part in parts:
                original = getattr(part.owner, part.name)
                timed = self._timed(original, part.label)
                stack.enter_context(patch.object(part.owner, part.name, timed))
            yield

    def _timed(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            inner_of_caller = getattr(self._open, "inner", 0.0)
            self._open.inner = 0.0
            started = perf_counter()
            try:
                result = function(*args, **kwargs)
                return list(result) if isgenerator(result) else result
            finally:
                passed = perf_counter() - started
                with self._guard:
                    self.seconds[label] += passed - self._open.inner
                self._open.inner = inner_of_caller + passed

        return timed
