"""Compiled code in the blocks of a loaded pipeline, switched on and off per request."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.artifacts.layout import weights_of
from wan_pipelines.engines.artifacts.packages import Unusable

if TYPE_CHECKING:
    import torch

CHECK_INPUTS = "AOTI_RUNTIME_CHECK_INPUTS"
MODEL_NAME = "model"
# Arguments of torch's loader, which has no names for them.
RUN_SINGLE_THREADED, ONE_RUNNER, ANY_DEVICE = True, 1, -1
NOT_THE_SPARE_ONES, ALL_OF_THEM, OURS = False, True, True


class CompiledBlocks:
    """One package in every block of one or both experts.

    The weights stay where they are: the code reads the pipeline's own tensors, by address. It is
    therefore loaded once, and only into a pipeline whose weights do not move.
    """

    def __init__(self, experts: Mapping[str, Any], packages: Mapping[str, bytes]) -> None:
        """`packages` were checked, and are those for the keys of the experts.

        Unusable when torch does not load one, or it is for other weights.
        """
        self._blocks = [
            block
            for name, expert in experts.items()
            for block in _compiled(packages[name], expert.blocks)
        ]
        for block in self._blocks:
            block.install()

    def switch(self, *, on: bool) -> None:
        """Which code the next forward runs."""
        for block in self._blocks:
            block.compiled = on

    @property
    def moved(self) -> bool:
        """Has somebody put other tensors into the blocks since the code was loaded?"""
        return any(block.moved for block in self._blocks)

    def free(self) -> None:
        """Empties the weights: torch's loader never lets go of tensors that it was given."""
        for block in self._blocks:
            block.free()


class _Block:
    """A block whose `forward` is diffusers' or the compiled one; hooks may wrap either."""

    def __init__(self, block: Any, runner: Any) -> None:
        self.compiled = False
        self._block = block
        self._runner = runner
        self._eager: Callable[..., torch.Tensor] = block.forward
        self._addresses = _addresses(block)

    def install(self) -> None:
        self._block.forward = self._forward

    @property
    def moved(self) -> bool:
        return self._addresses != _addresses(self._block)

    def free(self) -> None:
        for tensor in weights_of(self._block).values():
            tensor.untyped_storage().resize_(0)

    def _forward(
        self,
        hidden_states: "torch.Tensor",
        encoder_hidden_states: "torch.Tensor",
        temb: "torch.Tensor",
        rotary_emb: "tuple[torch.Tensor, torch.Tensor]",
    ) -> "torch.Tensor":
        """Shapes as in `WanTransformerBlock.forward`."""
        if not self.compiled:
            return self._eager(hidden_states, encoder_hidden_states, temb, rotary_emb)
        return self._runner.boxed_run([hidden_states, encoder_hidden_states, temb, *rotary_emb])[0]


def _addresses(block: Any) -> tuple[int, ...]:
    return tuple(tensor.data_ptr() for tensor in weights_of(block).values())


def _compiled(package: bytes, blocks: Iterable[Any]) -> "list[_Block]":
    """Blocks with the code of one package, each with its own weights."""
    # Without it the code reads whatever lies behind inputs of other shapes.
    os.environ[CHECK_INPUTS] = "1"
    with TemporaryDirectory(prefix="wan-artifact-") as folder:
        path = Path(folder) / "block.pt2"
        path.write_bytes(package)
        try:
            return [_Block(block, _runner(path, block)) for block in blocks]
        except RuntimeError as error:
            raise Unusable(f"torch does not load it ({error})") from None


def _runner(package: Path, block: Any) -> Any:
    """The code of a package with the weights of a block.

    torch's own `aoti_load_package` imports the compiler and probes the CPU for half a minute, to
    compare what our key says already; the loader below is what it then calls.
    """
    import torch

    bindings: Any = torch._C
    loader = bindings._aoti.AOTIModelPackageLoader
    runner = loader(str(package), MODEL_NAME, RUN_SINGLE_THREADED, ONE_RUNNER, ANY_DEVICE)
    weights = weights_of(block)
    if set(runner.get_constant_fqns()) != weights.keys():
        raise Unusable("it was built for other weights")
    runner.load_constants(weights, NOT_THE_SPARE_ONES, ALL_OF_THEM, OURS)
    return runner
