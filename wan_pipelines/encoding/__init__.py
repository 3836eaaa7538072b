"""From frames to files, and checks of what the files show."""
