"""The solver of the flow for one request."""

from typing import Any

from wan_pipelines.engines.requests import Sampling
from wan_pipelines.errors import RenderError


def make_scheduler(config: Any, sampling: Sampling) -> Any:
    """A fresh diffusers scheduler; `config` is the configuration that came with the weights.

    UniPC on flow sigmas is what both the published weights and the step-distilled LoRAs use; at 4
    steps and shift 5 it visits timesteps 999, 937, 833 and 625.
    """
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
        FlowMatchEulerDiscreteScheduler,
    )
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    if sampling.scheduler == "unipc":
        return UniPCMultistepScheduler.from_config(
            config,
            prediction_type="flow_prediction",
            use_flow_sigmas=True,
            flow_shift=sampling.flow_shift,
        )
    if sampling.scheduler == "euler":
        return FlowMatchEulerDiscreteScheduler(
            num_train_timesteps=config["num_train_timesteps"], shift=sampling.flow_shift
        )
    raise RenderError(
        f"Scheduler {sampling.scheduler!r} is not known; use 'unipc' or 'euler'.", stage="denoise"
    )
