"""What a plan comes to, in words."""

from wan_pipelines.ledger.money import usd
from wan_pipelines.pages.formats import seconds
from wan_pipelines.studio.forecasting import PERCENT
from wan_pipelines.studio.plans import EditionPlan
from wan_pipelines.units import GB


def expected(plan: EditionPlan) -> str:
    """Seconds, memory and money, with how sure that is."""
    told = f"about {plan.gpu_seconds:.1f} GPU-seconds, ${usd(plan.cost_micro_usd)}"
    if not plan.estimates:
        return told
    low, high = plan.gpu_seconds_between
    cheapest, dearest = plan.cost_between_micro_usd
    workers = "a worker" if plan.starts.workers == 1 else f"{plan.starts.workers} workers"
    return (
        f"{told} (between ${usd(cheapest)} and ${usd(dearest)}, {PERCENT} times in 100), "
        f"up to {plan.peak_bytes / GB:.1f} GB of memory\n"
        f"  rendering takes {low:.1f} to {high:.1f} GPU-seconds, judging by {plan.basis}; "
        f"{workers} take{'s' if plan.starts.workers == 1 else ''} "
        f"{plan.starts.gpu_seconds:.1f} s to start, which is paid as well\n"
        f"  it ends in about {seconds(plan.starts.wall_seconds)}, "
        f"{plan.starts.at_a_time} at a time, once there are GPUs"
    )
