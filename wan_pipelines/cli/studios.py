"""The studio that commands work on."""

from wan_pipelines.places import environment_name, project_root, state_folder
from wan_pipelines.studio.studio import Studio, open_studio


def this_studio() -> Studio:
    """The deployment that this process stands in."""
    return open_studio(project_root(), state_folder(), environment_name())
