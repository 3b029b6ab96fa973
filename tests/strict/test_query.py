"""The reading of a request's query is python-engineio's, only quicker."""

from __future__ import annotations

from urllib.parse import parse_qs

from hypothesis import given
from hypothesis import strategies as st

from socketio_cluster.cluster.strict.request import first_values

FIELDS = st.text(st.sampled_from("EIOsidj=&;%+ é\0") | st.characters(codec="utf-8"), max_size=40)


@given(FIELDS)
def test_as_parse_qs(query):
    """The first value of each name; a name without a value is not there."""
    assert first_values(query) == {name: values[0] for name, values in parse_qs(query).items()}
