"""The database comes to the same micro-dollars as Python, however much it is."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, literal, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.money import price_of
from wan_pipelines.ledger.sql_money import cost_of
from wan_pipelines.ledger.whose import SHARED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    works=st.lists(
        st.tuples(st.integers(0, 10**16), st.integers(0, 10**12)), min_size=20, max_size=20
    )
)
def test_work_costs_the_same_in_sql(ledger: Ledger, works: list[tuple[int, int]]):
    costs = [
        cost_of(literal(time, BigInteger()), literal(price, BigInteger())) for time, price in works
    ]
    with ledger.read(SHARED) as session:
        found = [int(cost) for cost in session.execute(select(*costs)).one()]
    assert found == [
        price_of(gpu_count=1, microseconds=time, micro_usd_per_gpu_hour=price)
        for time, price in works
    ]
