import pytest

from notifications.providers import keywords


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", "Stop!", " stop\n", "STOP.", "“Stop”", "Stopp", "STOPALL", "Stop all",
        "quit", "END", "end.", "revoke", "Opt out", "OPT-OUT", "optout", "opt_out", "Cancel", "UNSUBSCRIBE",
        "Stop texting me", "please stop", "Please unsubscribe me", "STOP sending me these messages", "stop 🛑",
    ],
)  # fmt: skip
def test_a_person_may_stop_in_any_reasonable_manner(text):
    assert keywords.read(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "!!!", "Cancel my order", "When does it end?", "I never said stop", "nonstop", "end of story",
        "Do not stop, I like to hear from you every day of the week", "stopwatch", "The bus stop is closed",
    ],
)  # fmt: skip
def test_other_words_stop_nothing(text):
    assert keywords.read(text) is None


@pytest.mark.parametrize(
    ("text", "kind"), [("Start", "start"), ("UNSTOP", "start"), ("help?", "help"), ("INFO", "help")]
)
def test_people_may_start_again_and_ask(text, kind):
    assert keywords.read(text) == kind
