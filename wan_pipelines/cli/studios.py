"""The studio that commands work on."""

from functools import cache

from wan_pipelines.places import environment_name, project_root, state_folder
from wan_pipelines.studio.studio import Studio, open_studio


@cache
def this_studio() -> Studio:
    return open_studio(project_root(), state_folder(), environment_name())
