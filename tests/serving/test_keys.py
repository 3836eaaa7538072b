"""Callers are known by keys, which show up nowhere."""

from pathlib import Path

import pytest

from tests.serving.gate import Served, served
from wan_pipelines.errors import InputError
from wan_pipelines.serving.keys import KEYS_VARIABLE, Keys

STUDIO, PROBE = "s" * 32, "p" * 32


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    monkeypatch.setenv(KEYS_VARIABLE, f"studio:{STUDIO}, probe:{PROBE}")
    return Keys.from_environment()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "header", [{}, bearer("wrong"), {"Authorization": "Bearer"}, {"Authorization": STUDIO}]
)
def test_without_a_key_nothing_is_told_but_health(
    tmp_path: Path, keys: Keys, header: dict[str, str]
) -> None:
    with served(tmp_path, keys=keys) as server:
        paths = ("/v1/videos", "/v1/models", "/v1/videos/video_1", "/v1/videos/video_1/content")
        for path in paths:
            refused = server.http.get(path, headers=header)
            assert (refused.status_code, refused.json()["error"]["code"]) == (
                401,
                "invalid_api_key",
            )
            assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert server.http.post("/v1/videos", json={"prompt": "x"}).status_code == 401
        assert server.http.delete("/v1/videos/video_1", headers=header).status_code == 401
        assert server.http.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8123"},
        {"Host": "[::1"},
        {"Origin": "null"},
    ],
)
def test_without_keys_no_page_from_elsewhere_is_answered(
    server: Served, headers: dict[str, str]
) -> None:
    refused = server.http.post("/v1/videos", data={"prompt": "x"}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_local")
    assert server.http.get("/v1/videos").json()["data"] == []


def test_with_keys_it_is_reached_by_any_name(tmp_path: Path, keys: Keys) -> None:
    with served(tmp_path, keys=keys) as server:
        headers = {**bearer(STUDIO), "Host": "engine.example", "Origin": "https://app.example"}
        assert server.http.get("/v1/videos", headers=headers).status_code == 200


def test_callers_see_only_their_own(tmp_path: Path, keys: Keys) -> None:
    with served(tmp_path, keys=keys) as server:
        made = server.http.post("/v1/videos", json={"prompt": "x"}, headers=bearer(STUDIO)).json()
        path = f"/v1/videos/{made['id']}"
        assert server.http.get(path, headers=bearer(STUDIO)).status_code == 200
        for answer in (
            server.http.get(path, headers=bearer(PROBE)),
            server.http.get(f"{path}/content", headers=bearer(PROBE)),
            server.http.delete(path, headers=bearer(PROBE)),
        ):
            assert answer.status_code == 404
        assert server.http.get("/v1/videos", headers=bearer(PROBE)).json()["data"] == []


def test_keys_are_not_kept_as_they_are(keys: Keys) -> None:
    assert STUDIO not in repr(keys)
    assert STUDIO not in str(keys.callers)


@pytest.mark.parametrize("entry", ["studio", f":{STUDIO}", "studio:short", f"a b:{STUDIO}"])
def test_a_key_that_is_none_is_named_by_its_place_only(
    monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, f"probe:{PROBE},{entry}")
    with pytest.raises(InputError, match="entry 2 is not of the form name:key") as caught:
        Keys.from_environment()
    assert STUDIO not in str(caught.value)
