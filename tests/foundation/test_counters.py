from django.core.cache import cache

from project.foundation import counters


def test_a_count_ends_though_it_was_begun_anew_in_the_middle_of_counting(monkeypatch):
    cache.set("guesses", 0, None)  # as Redis has it whose key ended after the look and before the increment
    ends = []
    monkeypatch.setattr(counters.cache, "touch", lambda name, seconds: ends.append((name, seconds)))

    counted = [counters.count("guesses", 60) for _ in range(3)]

    assert (counted, ends) == ([1, 2, 3], [("guesses", 60)])
    cache.delete("guesses")


def test_what_is_taken_back_is_not_counted():
    cache.delete("guesses")

    counters.count("guesses", 60)
    counters.take_back("guesses")

    assert counters.count("guesses", 60) == 1
    cache.delete("guesses")
