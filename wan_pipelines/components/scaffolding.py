"""`dg scaffold defs wan_pipelines.components.<type> <path>`: commented YAML to begin with."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

import dagster as dg
from pydantic import BaseModel, Field

from wan_pipelines.campaigns.texts import is_slug
from wan_pipelines.errors import InputError


class CampaignParams(BaseModel):
    """What a new brief begins with."""

    release: str = Field(default="wan-tiny", description="A model of assets/models.")
    tenant: str = Field(default="demo", description="Who pays.")
    user: str = Field(default="demo", description="Who asks.")


class ReleaseParams(BaseModel):
    """What a new release begins with."""

    repository: str = Field(
        default="Wan-AI/Wan2.2-T2V-A14B-Diffusers", description="A repository of a model hub."
    )
    revision: str = Field(
        default="5be7df9619b54f4e2667b2755bc6a756675b5cd7", description="A commit of it."
    )


class EnvironmentParams(BaseModel):
    """What a new environment begins with."""

    tenant: str = Field(default="demo", description="Who pays.")


class CampaignScaffolder(dg.Scaffolder[CampaignParams]):
    """Writes a brief of two shots."""

    @classmethod
    def get_scaffold_params(cls) -> type[CampaignParams]:
        return CampaignParams

    def scaffold(self, request: dg.ScaffoldRequest[CampaignParams]) -> None:
        write_template("Campaign", "campaigns", request)


class ReleaseScaffolder(dg.Scaffolder[ReleaseParams]):
    """Writes a release of a model hub's repository."""

    @classmethod
    def get_scaffold_params(cls) -> type[ReleaseParams]:
        return ReleaseParams

    def scaffold(self, request: dg.ScaffoldRequest[ReleaseParams]) -> None:
        write_template("ModelRelease", "models", request)


class EnvironmentScaffolder(dg.Scaffolder[EnvironmentParams]):
    """Writes an environment of one machine."""

    @classmethod
    def get_scaffold_params(cls) -> type[EnvironmentParams]:
        return EnvironmentParams

    def scaffold(self, request: dg.ScaffoldRequest[EnvironmentParams]) -> None:
        write_template("Environment", "resources", request)


def write_template(component: str, parent: str, request: dg.ScaffoldRequest[Any]) -> None:
    """Fill the template of a component in at the place that was asked for."""
    folder = request.target_path.resolve()
    if folder.parent.name != parent or not is_slug(folder.name):
        raise InputError(
            f"{folder.name!r} below {folder.parent.name!r} is no place for a {component}.",
            where=str(request.target_path),
            remedy=f"Use {parent}/<name>, with small letters, digits and single dashes.",
        )
    if request.append or request.scaffold_format != "yaml":
        raise InputError(
            f"A {component} is a YAML file of its own.",
            where=str(request.target_path),
            remedy="Leave --append and --format away.",
        )
    templates = resources.files("wan_pipelines.components") / "templates"
    text = (templates / f"{component}.yaml").read_text()
    names = {"NAME": folder.name, "TITLE": folder.name.replace("-", " ").capitalize()}
    (folder / "defs.yaml").write_text(filled(text, {**names, **request.params.model_dump()}))


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with each name in capitals replaced by its value."""
    for name, value in values.items():
        template = template.replace(name.upper(), value)
    return template
