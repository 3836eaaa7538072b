"""The nursery of this process, where there is one.

Imported last by the server that forks the steps of a run: the nursery is a fork of it, and the
steps, which are forked later, reach it.
"""

import sys

from wan_pipelines.studio.supervised import children
from wan_pipelines.studio.supervised.child import main
from wan_pipelines.studio.supervised.nursery import open_nursery

if sys.platform == "linux":
    children.nurseries.append(open_nursery(main))
