"""Where long videos are cut."""

import pytest

from wan_pipelines.engines.segments.pieces import Piece, cut, derived_seed


def test_each_segment_repeats_the_end_of_the_one_before() -> None:
    assert cut(161, frames=81, overlap=1, least=5) == (Piece(81, 0), Piece(81, 1))
    assert cut(65, frames=33, overlap=17, least=9) == (Piece(33, 0), Piece(33, 17), Piece(33, 17))


def test_what_is_left_for_the_last_segment_is_shorter_or_overlaps_more() -> None:
    assert cut(93, frames=81, overlap=1, least=5)[-1] == Piece(13, 1)
    assert cut(37, frames=33, overlap=1, least=17)[-1] == Piece(17, 13)


@pytest.mark.parametrize(
    ("frames", "overlap", "least"), [(33, 17, 9), (81, 1, 5), (17, 13, 17), (81, 5, 5)]
)
def test_segments_have_lengths_that_can_be_drawn_and_add_up(
    frames: int, overlap: int, least: int
) -> None:
    for total in range(frames + 4, 6 * frames, 4):
        pieces = cut(total, frames=frames, overlap=overlap, least=least)
        assert sum(piece.new for piece in pieces) == total
        assert len(pieces) > 1
        for piece in pieces:
            assert least <= piece.frames <= frames
            assert piece.frames % 4 == 1
            assert piece.overlap % 4 == 1 or piece == pieces[0]
            assert piece.overlap >= overlap or piece == pieces[0]


def test_every_segment_and_attempt_has_a_seed_of_its_own() -> None:
    seeds = [derived_seed(7, segment, attempt) for segment in (1, 2, 3) for attempt in (0, 1)]
    assert len({7, *seeds}) == 7
    assert derived_seed(7, 0, 0) == 7, "the first is what a short video of that seed is"
    assert all(0 <= seed < 2**63 for seed in seeds)
