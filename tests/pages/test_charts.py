import pytest

from wan_pipelines.pages.charts import HEIGHT, WIDTH, ends, lines, scale_of, shares, stacked_columns


@pytest.mark.parametrize(
    ("values", "top"),
    [([], 1), ([0], 1), ([7], 8), ([1_000_000], 1_000_000), ([0.013], 0.015), ([99, 1], 100)],
)
def test_a_scale_ends_at_a_round_number(values: list[float], top: float):
    assert scale_of(values).top == pytest.approx(top)


def test_columns_stand_on_each_other_and_fill_no_more_than_the_drawing():
    boxes = stacked_columns([[2, 2], [0, 4]], scale_of([4]))
    assert [(box.series, box.y, box.height) for box in boxes] == [
        (0, 50.0, 50.0),
        (1, 0.0, 50.0),
        (1, 0.0, HEIGHT),
    ]
    assert all(box.x >= 0 and box.x + box.width <= WIDTH for box in boxes)


def test_a_line_has_a_gap_where_there_is_no_value_and_one_alone_can_be_seen():
    dash, line = lines([1, None, 1, 0], scale_of([1]))
    assert dash == "31.250,0.0 218.750,0.0"
    assert line == "625.000,0.0 875.000,100.0"


def test_large_amounts_are_drawn_in_small_numbers():
    first, second = shares([300_000_000_000, 0, 100_000_000_000])
    assert (first.series, first.width) == (0, 750.0)
    assert (second.series, second.x, second.width) == (2, 750.0, 250.0)


def test_the_ends_of_an_axis_are_named():
    assert [ends(count) for count in (0, 1, 2, 30)] == [(), (0,), (0, 1), (0, 14, 29)]
