"""Where the rooms meet: plan, render, publish, settle, watch; no Dagster, no command line."""
