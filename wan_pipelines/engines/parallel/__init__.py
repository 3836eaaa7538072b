"""Several GPUs for one shot: this process leads, others follow it forward by forward."""
