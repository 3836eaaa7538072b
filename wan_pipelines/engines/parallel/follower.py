"""A process that computes its part of each forward of the one that leads it.

It holds the experts only. It reads calls from standard input, and ends when that does: whatever
becomes of the leading process, none of these is left behind.
"""

import os
import signal
import sys
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import IO

from wan_pipelines.engines.parallel.calls import END, Call, receive
from wan_pipelines.engines.parallel.joining import Membership
from wan_pipelines.engines.pipelines import Experts, load_experts
from wan_pipelines.engines.release_parts import Lora
from wan_pipelines.weights.sources import FolderSource

LEFT_ALONE = 75


def main() -> None:
    """Reads a membership, then calls, until it is told the end."""
    # Both reach the whole process group. The one that leads decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    follow(Membership.from_line(sys.stdin.readline()), _calls(sys.stdin))


def follow(member: Membership, lines: Iterator[str]) -> None:
    """Loads the experts and computes what `lines` ask for."""
    import torch
    from torch import distributed

    torch.set_num_threads(member.threads)
    member.join()
    weights = FolderSource(member.weights).ensure(member.weights)
    experts = load_experts(
        member.release, weights, member.loras, member.device, member.engine, kind=member.kind
    )
    with torch.no_grad():
        for line in lines:
            _compute(experts, Call.from_line(line), member)
    distributed.destroy_process_group()


def _compute(experts: Experts, call: Call, member: Membership) -> None:
    from diffusers.models.attention_dispatch import attention_backend

    experts.loras.use(tuple(Lora.model_validate(lora) for lora in call.loras))
    tensors = receive(call, member.device)
    with attention_backend(call.attention_backend):
        getattr(experts.pipeline, call.expert)(**tensors, attention_kwargs=None, return_dict=False)


def _calls(source: IO[str]) -> Iterator[str]:
    """Until the end is told. A thread reads: this process may hang in a forward without its peers.

    Whoever leads may be killed at any moment, which closes the pipe.
    """
    queue: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in source:
            queue.put(line)
            if line == END:
                return
        os._exit(LEFT_ALONE)

    Thread(target=read, daemon=True).start()
    return iter(queue.get, END)


if __name__ == "__main__":
    main()
