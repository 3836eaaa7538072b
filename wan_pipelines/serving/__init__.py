"""A warm engine as an HTTP server with the video API that OpenAI's clients speak."""
