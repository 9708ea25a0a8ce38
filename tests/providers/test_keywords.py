import pytest

from notifications.providers import keywords


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", "Stop!", " stop\n", "STOP.", "“Stop”", "Stopp", "STOPALL", "Stop all",
        "quit", "END", "end.", "revoke", "Opt out", "OPT-OUT", "optout", "opt_out", "Cancel", "UNSUBSCRIBE",
        "S.T.O.P.", "s t o p", "ＳＴＯＰ", "𝗦𝗧𝗢𝗣", "stop\u200b", "*STOP*", "(end)", "opt-out!!", "¡Stop!",
        "“Revoke”", "Stöp", "opt me out",
        "Cancel texts", "end these messages", "quit texting me", "No more texts", "don't text me again",
        "Do not contact me", "Remove me", "remove my number from your list", "revoke my consent",
        "abmelden", "Ende", "توقف", "إيقاف", "إلغاء",
        "Stop texting me", "please stop", "Please unsubscribe me", "STOP sending me these messages", "stop 🛑",
    ],
)  # fmt: skip
def test_a_person_may_stop_in_any_reasonable_manner(text):
    assert keywords.read(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "!!!", "Cancel my order", "When does it end?", "I never said stop", "nonstop", "end of story",
        "cancel my subscription", "remove the jacket", "Endes",
        "no more milk", "I am at the end", "do not forget me", "texts", "restart", "helpless", "informed",
        "Do not stop, I like to hear from you every day of the week", "stopwatch", "The bus stop is closed",
    ],
)  # fmt: skip
def test_other_words_stop_nothing(text):
    assert keywords.read(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Start", "start"),
        ("UNSTOP", "start"),
        ("help?", "help"),
        ("INFO", "help"),
        ("s.t.a.r.t", "start"),
        ("مساعدة", "help"),
    ],
)
def test_people_may_start_again_and_ask(text, kind):
    assert keywords.read(text) == kind
