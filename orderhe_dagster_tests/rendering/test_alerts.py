"""What is told of incidents: each once when it begins, once when it has ended, to every address."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from orderhe_dagster.rendering.alerts import Incident, Told, open_lines

BEGAN = datetime(2026, 3, 13, 0, 31, tzinfo=timezone.utc)
SEOUL = "Asia/Seoul"


def incident(subject: str = "asset warehouse/orders", what: str = "it failed: do this") -> Incident:
    return Incident(subject, what, "run 1a2b", BEGAN)


def told(*incidents: Incident) -> Told:
    return Told({one.subject: one for one in incidents})


def kept(state: Told) -> Told:
    """What the next look knows of it."""
    return Told.read(state.text())


def test_a_problem_is_told_once_with_what_where_since_when_and_the_remedy() -> None:
    state = told(incident())
    message = state.news("a", "shop", SEOUL)
    assert message is not None
    assert message.title == "shop: 1 problem begins"
    assert message.text.splitlines() == [
        "asset warehouse/orders, since 2026-03-13 09:31 KST",
        "it failed: do this",
        "run 1a2b",
    ]
    state.note("a")
    assert kept(state).news("a", "shop", SEOUL) is None


def test_the_end_is_told_once() -> None:
    state = told(incident())
    state.note("a")
    state.incidents = {}
    state = kept(state)
    message = state.news("a", "shop", SEOUL)
    assert message is not None
    assert message.title == "shop: 1 problem has ended"
    assert message.text == "ended: asset warehouse/orders, since 2026-03-13 09:31 KST"
    state.note("a")
    assert kept(state).news("a", "shop", SEOUL) is None


def test_a_message_that_was_not_sent_is_told_the_next_time_and_others_are_not_told_twice() -> None:
    state = told(incident())
    state.note("reached")
    state = kept(state)
    assert state.news("reached", "shop", SEOUL) is None
    assert state.news("not reached", "shop", SEOUL) is not None


def test_what_ended_before_it_could_be_told_is_not_told() -> None:
    state = told(incident())
    state.incidents = {}
    assert kept(state).news("a", "shop", SEOUL) is None


def test_many_at_once_are_one_message_of_bounded_length() -> None:
    state = told(*(incident(f"asset mart/{n:02}", "x" * 5_000) for n in range(30)))
    message = state.news("a", "shop", SEOUL)
    assert message is not None
    assert message.title == "shop: 30 problems begin"
    assert "asset mart/19, since" in message.text
    assert "asset mart/20, since" not in message.text
    assert "… and 10 more: orderhe alerts lists all" in message.text
    assert len(message.text) < 30_000


def test_what_goes_on_is_counted_beside_news() -> None:
    state = told(incident())
    state.note("a")
    new = Incident("lateness of mart/x", "late", "UI", BEGAN + timedelta(hours=1), True)
    state.incidents[new.subject] = new
    message = state.news("a", "shop", SEOUL)
    assert message is not None
    assert message.text.startswith("warning: lateness of mart/x, since 2026-03-13 10:31 KST")
    assert message.text.endswith("still open: 1 problem told before")


def test_the_terminal_shows_all_that_is_open() -> None:
    assert open_lines([], SEOUL) == ["0 problems are open"]
    assert open_lines([incident()], SEOUL)[-1] == "1 problem is open"


def test_what_another_version_kept_is_begun_anew() -> None:
    assert Told.read('{"incidents": [{"subject": "x", "colour": "red"}]}').incidents == {}
    assert Told.read("not even JSON").looked_at is None
