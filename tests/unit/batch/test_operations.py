"""The table of what may happen to operations."""

from itertools import product
from pathlib import Path

import pytest

from occode.batch.operations import FINAL, TRANSITIONS, Event, ImpossibleEvent, State, after, diagram

DOCS = Path(__file__).parents[3] / "docs"


def test_every_event_in_every_state_is_either_in_the_table_or_impossible() -> None:
    """Nothing is left to chance."""
    for state, event in product(State, Event):
        if (state, event) in TRANSITIONS:
            assert after(state, event) is TRANSITIONS[state, event]
        else:
            with pytest.raises(ImpossibleEvent):
                after(state, event)


def test_every_state_is_reached_and_every_event_used() -> None:
    """From the first state, by the table."""
    reached = {State.AWAITING_INPUT}
    while more := {then for (before, _), then in TRANSITIONS.items() if before in reached and then} - reached:
        reached |= more
    assert reached == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_nothing_but_time_happens_to_what_has_ended() -> None:
    """And it then removes the operation."""
    for (before, event), then in TRANSITIONS.items():
        assert (before in FINAL) == (then is None) == (event is Event.KEEP_TIME_OVER)


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    """A stale drawing fails."""
    assert diagram() in (DOCS / "explanation" / "batches.md").read_text()
