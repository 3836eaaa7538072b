"""What the YAML of `assets/` and `resources/` can declare."""

from wan_pipelines.components.campaign import Campaign
from wan_pipelines.components.environment import Environment
from wan_pipelines.components.model_release import ModelRelease

__all__ = ["Campaign", "Environment", "ModelRelease"]
