"""An engine that is a server somewhere else: any that speaks OpenAI's video API."""
