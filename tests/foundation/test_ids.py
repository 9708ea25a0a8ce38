import pickle
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from project.foundation import ids

moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


def test_ids_rise_and_carry_their_time():
    before = datetime.now(tz=UTC) - timedelta(milliseconds=1)
    made = [ids.new_id() for _ in range(1000)]

    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {id.version for id in made} == {7}
    assert before <= ids.created_at(made[0]) <= datetime.now(tz=UTC)


@given(st.uuids())
def test_an_id_of_a_number_is_like_any_other(id):
    made = ids.of_int(id.int)

    assert (made, hash(made), str(made), made.is_safe) == (id, hash(id), str(id), id.is_safe)
    assert ids.text(made) == str(id)
    assert pickle.loads(pickle.dumps(made)) == deepcopy(made) == id


@given(moments)
def test_the_first_id_of_a_moment_is_below_every_id_of_that_moment(moment):
    assert ids.first_id_at(moment) <= ids.derived_id(ids.first_id_at(moment), "anything")


@given(st.uuids(version=4), st.lists(st.text(max_size=20), max_size=4))
def test_derived_ids_repeat_and_stay_in_the_partition_of_their_origin(origin, parts):
    derived = ids.derived_id(origin, *parts)
    low, high = ids.time_bounds([origin])

    assert derived == ids.derived_id(origin, *parts)
    assert derived.version == 7
    assert low <= derived < high


def test_derived_ids_tell_their_parts_apart():
    origin = ids.new_id()

    assert ids.derived_id(origin, "a", "b") != ids.derived_id(origin, "ab")
    assert ids.derived_id(origin, 0, "email") != ids.derived_id(origin, 1, "email")


def test_derived_ids_are_what_they_were_in_every_release():
    origin, point = UUID("01890a5d-ac96-774b-bcce-b302099a8057"), UUID(int=1)

    assert str(ids.derived_id(origin, 0, "email", point)) == "01890a5d-ac96-776c-9e84-e2f03c46e97a"
    assert str(ids.derived_id(origin)) == "01890a5d-ac96-77bd-aad8-b1f005dafd3f"


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_what_derives_many_ids_gives_each_as_if_derived_alone(last):
    origin, first = ids.new_id(), ids.new_id()
    assert ids.deriver(origin, first)(last) == ids.derived_id(origin, first, last)
