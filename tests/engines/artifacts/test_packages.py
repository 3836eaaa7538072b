"""Bytes that somebody handed over, before anything unpacks or runs them."""

import hashlib
import io
import zipfile

import pytest

from wan_pipelines.engines.artifacts import packages
from wan_pipelines.engines.artifacts.packages import (
    SignedOff,
    Unusable,
    check_archive,
    check_package,
)

CODE = "block/data/aotinductor/model/"
USUAL = {
    f"{CODE}kernel.cpp": b"int x;",
    f"{CODE}wrapper.so": b"\x7fELF",
    f"{CODE}wrapper_metadata.json": b"{}",
    "block/archive_format": b"pt2",
    "block/.data/version": b"3",
}


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def signed(data: bytes) -> SignedOff:
    return SignedOff(hashlib.sha256(data).hexdigest(), len(data), "somewhere")


def test_what_was_signed_off_is_accepted() -> None:
    data = archive(USUAL)
    check_package(data, signed(data))


def test_a_package_of_somebody_else_is_refused() -> None:
    data = archive(USUAL)
    foreign = archive({**USUAL, f"{CODE}wrapper.so": b"\x7fELG"})
    assert len(foreign) == len(data)
    with pytest.raises(Unusable, match="not what was signed off"):
        check_package(foreign, signed(data))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/x.so",
        "../../x.json",
        f"{CODE}../../../../../x.json",
        f"{CODE}sub/x.json",
        "block\\..\\x.json",
        f"{CODE}weights.pt",
        "block/data/weights/model.pkl",
        "x.json",
    ],
)
def test_members_that_no_package_has_are_refused(name: str) -> None:
    with pytest.raises(Unusable, match="which no package of ours has"):
        check_archive(archive({**USUAL, name: b""}))


@pytest.mark.parametrize(
    "members",
    [
        {name: content for name, content in USUAL.items() if not name.endswith(".so")},
        {**USUAL, f"{CODE}second.so": b"\x7fELF"},
    ],
)
def test_a_package_holds_the_code_of_one_block(members: dict[str, bytes]) -> None:
    with pytest.raises(Unusable, match="code of one block"):
        check_archive(archive(members))


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "LIMIT_BYTES", 1 << 20)
    bomb = archive({**USUAL, f"{CODE}big.cpp": bytes(2 << 20)})
    assert len(bomb) < 1 << 14
    with pytest.raises(Unusable, match="unpacks to more"):
        check_archive(bomb)


@pytest.mark.parametrize("data", [b"", b"PK", archive(USUAL)[:-30]])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(Unusable, match="no package"):
        check_archive(data)
