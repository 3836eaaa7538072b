"""`python -m benchmarks [NAME]`: measure, print tables, keep figures in `.wan/benchmarks/`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help=__doc__, invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False
)

Sizes = Annotated[list[int], typer.Option("--shots", help="How many shots; may be repeated.")]


@app.callback()
def everything(context: typer.Context) -> None:
    """Without a name, all of them."""
    if context.invoked_subcommand is None:
        each: tuple[Callable[[], None], ...] = (
            estimates,
            definitions,
            checkpoints,
            worker,
            lambda: warm_loop(100),
            lambda: cost_model("draft"),
            artifacts,
            lambda: bookkeeping([100, 1_000, 10_000]),
            lambda: graph_vs_loop([10, 100, 300]),
            lambda: weights_fetch(2),
            lambda: admission(16),
            lambda: fairness(5),
        )
        for benchmark in each:
            benchmark()


@app.command(name="graph_vs_loop")
def graph_vs_loop(
    shots: Sizes = [10, 100, 300],  # noqa: B006 (Typer reads it, nobody changes it)
    repeats: Annotated[int, typer.Option(help="Rounds of sizes up to 100.")] = 1,
) -> None:
    """Shots through the graph against a plain loop."""
    from benchmarks.graph_vs_loop import run

    run(shots, repeats)


@app.command()
def bookkeeping(
    shots: Sizes = [100, 1_000, 10_000],  # noqa: B006
    ledger: Annotated[str | None, typer.Option(help="URL of an empty database.")] = None,
) -> None:
    """Milliseconds per shot beside rendering and encoding."""
    from benchmarks.bookkeeping import run

    run(shots, ledger)


@app.command()
def admission(
    processes: Annotated[int, typer.Option(help="That admit single shots at once.")] = 16,
) -> None:
    """Shots admitted a second, whole editions and one by one."""
    from benchmarks.admission import run

    run(processes)


@app.command()
def fairness(
    days: Annotated[int, typer.Option(min=3, help="Simulated, of each policy.")] = 5,
) -> None:
    """Orders of shards in the simulator: fairness, waits, deadlines, use of GPUs, cost."""
    from benchmarks.fairness import run

    run(days)


@app.command()
def queue_to_step(
    rounds: Annotated[int, typer.Option(help="Runs of two shards each.")] = 3,
) -> None:
    """A shard's seconds from queued to its first step, in pods of a real control plane."""
    from benchmarks.queue_to_step import run

    run(rounds)


@app.command()
def checkpoints() -> None:
    """What keeping a render's state costs, and our denoising loop against the pipeline's."""
    from benchmarks.checkpoints import run

    run()


@app.command()
def definitions() -> None:
    """How long the definitions take to load, and how much memory."""
    from benchmarks.definitions import run

    run()


@app.command()
def estimates() -> None:
    """Estimated seconds and memory against every published row."""
    from benchmarks.estimates import run

    run()


@app.command()
def tiers(
    release: Annotated[str, typer.Option(help="Name of the release.")] = "wan-tiny",
    seeds: Annotated[int, typer.Option(help="Seeds of each prompt.")] = 2,
) -> None:
    """Seconds and quality of every tier; brings the table of docs/tiers.md up to date."""
    from benchmarks.tiers import run

    run(release, seeds)


@app.command()
def worker() -> None:
    """Where the paid seconds of the workers of one edition go."""
    from benchmarks.worker import run

    run()


@app.command()
def reports(
    takes: Annotated[int, typer.Option(min=1, help="How many; a million make 2 GB.")] = 1_000_000,
    ledger: Annotated[
        Path | None, typer.Option(help="A ledger to keep, or that was kept, for the next time.")
    ] = None,
) -> None:
    """What sums up many takes: the database, pandas in pieces, DuckDB over Arrow."""
    from benchmarks.reports import run

    run(takes, ledger)


@app.command(name="cost-model")
def cost_model(
    tier: Annotated[str, typer.Option(help="Of Wan2.2-T2V-A14B.")] = "draft",
) -> None:
    """What a thousand 720p videos take on eight H100, as the product estimates it."""
    from benchmarks.cost_model import run

    run(tier)


@app.command(name="warm-loop")
def warm_loop(
    shots: Annotated[int, typer.Option(help="How many; a multiple of ten.")] = 100,
) -> None:
    """Share of a worker's time in which its engine is busy, and its time against a plain loop."""
    from benchmarks.warm_loop import run

    run(shots)


@app.command()
def artifacts() -> None:
    """What the first clip costs with compiled blocks that are there, and with none."""
    from benchmarks.artifacts import run

    run()


@app.command(name="weights-fetch")
def weights_fetch(
    gib: Annotated[float, typer.Option(min=0.01, help="GiB of random shards.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Of all ways in turn.")] = 3,
    folder: Annotated[Path | None, typer.Option(help="Where; else a temporary one.")] = None,
) -> None:
    """Weights from a bucket: our fetch against s5cmd and boto3; and what is there already."""
    from benchmarks.weights_fetch import run

    run(gib, rounds, folder)


if __name__ == "__main__":
    app()
