"""One prompt, outside of any campaign: a brief of one shot, rendered at once."""

from collections.abc import Callable
from dataclasses import dataclass

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.expand import expand
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.plan_words import expected
from wan_pipelines.studio.planning import admit_shots, preview_shots
from wan_pipelines.studio.plans import EditionPlan
from wan_pipelines.studio.shards import OpenEngine, ShardReference, render
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.turns import in_turn, line_up
from wan_pipelines.studio.videos import Published, publish
from wan_pipelines.validation import validated

CAMPAIGN = SHARD = "prompt"
SHOWN_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptOrder:
    """What somebody typed in; `None` is what the release recommends.

    Without release, tenant or user, those hold that the environment names for prompts.
    """

    prompt: str
    release: str | None = None
    tenant: str | None = None
    user: str | None = None
    negative_prompt: str | None = None
    seed: int = 1
    shape: str | None = None
    frames: int | None = None
    tier: str | None = None


def preview_prompt(studio: Studio, order: PromptOrder) -> EditionPlan:
    """What rendering the prompt would be and cost; changes nothing."""
    shot = shot_of(studio, order)
    return preview_shots(studio, edition_of(studio, order, shot), [shot])


def admit_prompt(
    studio: Studio, order: PromptOrder, run_id: str, *, say: Callable[[str], None]
) -> EditionPlan:
    """Say what the prompt is expected to take, reserve that, and note the turn that it takes at
    the GPUs like a shard of a campaign.

    InputError when the prompt, a quota, a budget or a plan does not let it pass, and why.
    """
    shot = shot_of(studio, order)
    edition = edition_of(studio, order, shot)
    plan = admit_shots(studio, edition, [shot])
    check_wanted(plan)
    (planned,) = plan.shots
    if planned.renders:
        seconds = round(plan.starts.gpu_seconds + plan.gpu_seconds, 3)
        shard = ShardReference(SHARD, edition, (shot.name,), gpu_seconds=seconds)
        line_up(studio, _brief(studio, order), edition, run_id, [shard])
    say(expected(plan) if planned.renders else planned.why or "It is rendered already.")
    return plan


def render_prompt(
    studio: Studio,
    order: PromptOrder,
    run: RunReference,
    *,
    say: Callable[[str], None],
    open_engine: OpenEngine | None = None,
) -> Published:
    """Screen, admit, render where its turn is, publish.

    InputError when the prompt is refused, and why.
    """
    shot = shot_of(studio, order)
    edition = edition_of(studio, order, shot)
    shard = ShardReference(SHARD, edition, (shot.name,))
    studio = in_turn(studio, _brief(studio, order), shard, run.run_id)
    plan = admit_shots(studio, edition, [shot])
    check_wanted(plan)
    if plan.shots[0].renders:
        render(studio, shard, run, say=say, open_engine=open_engine)
    return publish(studio, edition)


def check_wanted(plan: EditionPlan) -> None:
    """InputError when the prompt is rejected, held or refused, that says why and what to do."""
    for planned in plan.shots:
        if planned.state not in ("admitted", "reused"):
            raise InputError(
                f"The prompt is {planned.state}: {planned.reason}",
                where="prompt",
                remedy=planned.hint or ("Try again then." if planned.may_run_at else ""),
            )


def shot_of(studio: Studio, order: PromptOrder) -> Shot:
    """The one shot of an order; InputError names what the release does not offer."""
    brief = _brief(studio, order)
    (shot,) = expand(brief, studio.release(brief.release), studio.folder_of(CAMPAIGN))
    return shot


def _brief(studio: Studio, order: PromptOrder) -> Brief:
    """The order as a campaign would put it."""
    tenant, user = _account(studio, order)
    wanted = {
        "name": CAMPAIGN,
        "tenant": tenant,
        "user": user,
        "release": order.release or studio.settings.prompts.release,
        "tier": order.tier,
        "prompts": [order.prompt],
        "negative_prompt": order.negative_prompt,
        "seeds": [order.seed],
        "shapes": [order.shape] if order.shape else [],
        "frames": order.frames,
    }
    return validated(Brief, wanted, lambda _: "prompt")


def edition_of(studio: Studio, order: PromptOrder, shot: Shot) -> EditionKey:
    """Prompts have an edition each, named by what they show, so that each has its own page."""
    tenant, user = _account(studio, order)
    return EditionKey(tenant, user, CAMPAIGN, shot.render_key[:SHOWN_DIGITS])


def _account(studio: Studio, order: PromptOrder) -> tuple[str, str]:
    """Who pays, and who asks."""
    defaults = studio.settings.prompts
    return order.tenant or defaults.tenant, order.user or defaults.user
