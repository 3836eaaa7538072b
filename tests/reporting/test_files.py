from io import BytesIO, StringIO

import pandas as pd
import pytest

from wan_pipelines.reporting.files import (
    as_text,
    from_parquet,
    to_csv,
    to_parquet,
    write_csv,
    write_parquet,
)

FRAME = pd.DataFrame({"campaign": ["autumn", "=1+1"], "micro_usd": [2**53 + 1, -5]})


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_words_are_never_a_formula_to_a_spreadsheet(sign: str):
    formula = f'{sign}HYPERLINK("http://somewhere";"click")'
    assert as_text(formula) == f"'{formula}"
    assert as_text(f"a ball {formula}") == f"a ball {formula}"


def test_parquet_keeps_every_micro_dollar():
    pd.testing.assert_frame_equal(from_parquet(to_parquet(FRAME)), FRAME)


def test_csv_defuses_words_and_leaves_amounts_that_were_taken_back_alone():
    text = to_csv(FRAME.assign(usd=["1.000000", "-0.000005"]))
    assert text.splitlines() == [
        "campaign,micro_usd,usd",
        f"autumn,{2**53 + 1},1.000000",
        "'=1+1,-5,-0.000005",
    ]


def test_files_are_written_piece_by_piece():
    csv, parquet = BytesIO(), BytesIO()
    write_csv([FRAME, FRAME], csv)
    write_parquet([FRAME, FRAME], parquet)
    assert len(pd.read_csv(StringIO(csv.getvalue().decode()))) == 4
    assert list(from_parquet(parquet.getvalue())["micro_usd"]) == [2**53 + 1, -5] * 2
