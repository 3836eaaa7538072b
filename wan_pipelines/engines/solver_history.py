"""What a diffusers scheduler remembers of the steps it has done, as tensors to keep."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Memory:
    """The attributes of a scheduler that its steps change.

    `clips` are of the shape of the latents, `clip_lists` and `scalar_lists` lists of such and of
    scalars, whose entries are None where no step has been done yet.
    """

    numbers: tuple[str, ...]
    clips: tuple[str, ...] = ()
    clip_lists: tuple[str, ...] = ()
    scalar_lists: tuple[str, ...] = ()


MEMORIES = {
    "UniPCMultistepScheduler": _Memory(
        numbers=("_step_index", "lower_order_nums", "this_order"),
        clips=("last_sample",),
        clip_lists=("model_outputs",),
        scalar_lists=("timestep_list",),
    ),
    "FlowMatchEulerDiscreteScheduler": _Memory(numbers=("_step_index",)),
}
"""By class. A test compares them with what steps really change, for the day diffusers changes."""


def history_of(scheduler: Any) -> dict[str, "torch.Tensor"]:
    """All that the next step builds on, after at least one step; numbers are int64 scalars."""
    import torch

    memory = MEMORIES[type(scheduler).__name__]
    history = {name: torch.tensor(getattr(scheduler, name)) for name in memory.numbers}
    history |= {name: getattr(scheduler, name) for name in memory.clips}
    for name in (*memory.clip_lists, *memory.scalar_lists):
        entries = enumerate(getattr(scheduler, name))
        history |= {f"{name}.{index}": entry for index, entry in entries if entry is not None}
    return history


def restore_history(scheduler: Any, history: Mapping[str, "torch.Tensor"]) -> None:
    """Puts it into a scheduler that has its timesteps and has done no step.

    The tensors have the names and shapes of `history_shapes`, and lie where they are needed.
    """
    memory = MEMORIES[type(scheduler).__name__]
    for name in memory.numbers:
        setattr(scheduler, name, int(history[name]))
    for name in memory.clips:
        setattr(scheduler, name, history[name])
    for name in (*memory.clip_lists, *memory.scalar_lists):
        length = len(getattr(scheduler, name))
        setattr(scheduler, name, [history.get(f"{name}.{index}") for index in range(length)])


def history_shapes(scheduler: Any, latents: Shape) -> dict[str, Shape]:
    """The names that a history may have, with the shapes of their tensors."""
    return dict(_shapes(scheduler, latents))


def always_there(scheduler: Any) -> set[str]:
    """The names that every history has; entries of lists come with the steps."""
    memory = MEMORIES[type(scheduler).__name__]
    return {*memory.numbers, *memory.clips}


def _shapes(scheduler: Any, latents: Shape) -> Iterator[tuple[str, Shape]]:
    memory = MEMORIES[type(scheduler).__name__]
    yield from ((name, ()) for name in memory.numbers)
    yield from ((name, latents) for name in memory.clips)
    for names, shape in ((memory.clip_lists, latents), (memory.scalar_lists, ())):
        for name in names:
            count = len(getattr(scheduler, name))
            yield from ((f"{name}.{index}", shape) for index in range(count))
