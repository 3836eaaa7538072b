"""The figures beside tiers: the better a clip, the higher all of them."""

import numpy as np

from benchmarks.likeness import has_vmaf, likeness


def test_a_clip_is_most_like_itself_and_less_like_a_noisier_one() -> None:
    generator = np.random.default_rng(0)
    ramp = np.linspace(20, 200, 64 * 48 * 3).reshape(1, 48, 64, 3)
    clip = np.broadcast_to(ramp, (5, 48, 64, 3)).astype(np.uint8)

    def noisy(amount: float) -> np.ndarray:
        noise = generator.normal(0, amount, clip.shape)
        return (clip + noise).clip(0, 255).astype(np.uint8)

    itself, near, far = (likeness(each, clip) for each in (clip, noisy(4), noisy(30)))
    assert (itself.psnr, itself.ssim) == (60, 1)
    assert itself.psnr > near.psnr > far.psnr > 10
    assert itself.ssim > near.ssim > far.ssim > 0
    if has_vmaf():
        assert itself.vmaf is not None
        assert far.vmaf is not None
        assert itself.vmaf > 90 > far.vmaf
