"""What is measured where two segments meet."""

import numpy as np

from wan_pipelines.engines.segments.seams import BEST_DB, meet


def moving(frames: range) -> np.ndarray:
    """A square that goes one pixel to the right in each frame."""
    clip = np.zeros((len(frames), 32, 64, 3), np.uint8)
    for index, place in enumerate(frames):
        clip[index, 12:20, place : place + 8] = 200
    return clip


def test_a_clip_that_goes_on() -> None:
    meeting = meet(moving(range(10)), moving(range(5, 15)), overlap=5)
    assert meeting.psnr_db == BEST_DB
    assert meeting.motion == 1.0


def test_overlapping_frames_that_differ_are_noticed_even_if_it_is_one_of_them() -> None:
    after = moving(range(5, 15))
    after[3, :, :, 1] += 40
    meeting = meet(moving(range(10)), after, overlap=5)
    assert 15 < meeting.psnr_db < 25


def test_a_jump_behind_the_overlap_is_noticed() -> None:
    after = np.concatenate([moving(range(5, 10)), moving(range(40, 45))])
    meeting = meet(moving(range(10)), after, overlap=5)
    assert meeting.psnr_db == BEST_DB
    assert meeting.motion > 5


def test_what_stands_still_has_no_seam() -> None:
    still = np.full((9, 16, 16, 3), 90, np.uint8)
    meeting = meet(still, still, overlap=1)
    assert (meeting.psnr_db, meeting.motion) == (BEST_DB, 0.0)
