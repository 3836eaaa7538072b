"""Who may ask a server that has no keys: programs of this machine, and no web page from elsewhere.

A browser sends forms to any address for any page, and a name can be made to mean 127.0.0.1.
"""

from urllib.parse import urlsplit

from wan_pipelines.serving.problems import Refusal

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_local(host: str | None, origin: str | None) -> None:
    """A Refusal (403) unless both headers, where they are sent, name this machine."""
    if not (_is_local(f"//{host or 'localhost'}") and _is_local(origin or "//localhost")):
        raise Refusal(
            403,
            "Without keys this server answers programs of its own machine only, at localhost or "
            "127.0.0.1. Start it with WAN_ENGINE_KEYS to let others in.",
            code="not_local",
        )


def _is_local(address: str) -> bool:
    try:
        return urlsplit(address).hostname in LOOPBACK
    except ValueError:
        return False
