from fractions import Fraction
from pathlib import Path

from wan_pipelines.encoding.graph import encode_argv, transcode_argv
from wan_pipelines.encoding.renditions import RENDITIONS

SPECS = {Path(f"/takes/{name}.mp4"): spec for name, spec in RENDITIONS.items()}


def option(argv: list[str], name: str) -> list[str]:
    return [argv[index + 1] for index, word in enumerate(argv) if word == name]


def test_one_process_reads_one_pipe_and_makes_all_renditions():
    argv = encode_argv((96, 64), Fraction(24000, 1001), SPECS)
    assert option(argv, "-i") == ["pipe:0"]
    assert option(argv, "-video_size") == ["96x64"]
    assert option(argv, "-framerate") == ["24000/1001"]
    assert option(argv, "-c:v") == ["libx264", "libx264", "libsvtav1"]
    (graph,) = option(argv, "-filter_complex")
    assert "split=3" in graph
    assert graph.count("out_color_matrix=bt709") == 1
    assert "scale=48:32" in graph


def test_threads_depend_on_the_size_alone():
    def threads(width: int, height: int) -> list[str]:
        spec = {Path("/takes/h264.mp4"): RENDITIONS["h264"]}
        return option(encode_argv((width, height), Fraction(16), spec), "-threads")

    assert threads(96, 64) == ["1"]
    assert threads(1280, 720) == ["5"]
    assert threads(3840, 2160) == ["8"]


def test_a_source_is_read_as_a_local_mp4_file_only():
    argv = transcode_argv(Path("/takes/it's; rm -rf ~.mp4"), (96, 64), Fraction(16), SPECS)
    before_input = argv[: argv.index("-i")]
    assert option(before_input, "-f") == ["mp4"]
    assert option(before_input, "-protocol_whitelist") == ["file"]
    assert option(before_input, "-r") == ["16"]
    assert option(argv, "-i") == ["/takes/it's; rm -rf ~.mp4"]


def test_a_file_name_cannot_become_an_option(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = encode_argv((96, 64), Fraction(16), {Path("-y.mp4"): RENDITIONS["h264"]})
    assert argv[-1] == str(tmp_path / "-y.mp4")
