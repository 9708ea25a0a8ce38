"""Which of the locales that exist is the one for a person. Pure."""

from collections.abc import Collection


def fallback_chain(wanted: str, default: str) -> list[str]:
    """Return the locales to try, best first: de-AT → de → the installation's default and its language."""
    chain: list[str] = []
    for locale in (wanted, default):
        tags = normalised(locale).split("-")
        chain += ["-".join(tags[:length]) for length in range(len(tags), 0, -1)]
    return [locale for locale in dict.fromkeys(chain) if locale]


def choose(available: Collection[str], *, wanted: str, default: str) -> str | None:
    """Return the best of `available`: exact, language, installation's default, then any (alphabetically the first).

    "Language" also finds a sister: de-AT is served by de-DE before it falls to English. None only when nothing exists.
    """
    by_name = {normalised(locale): locale for locale in sorted(available, reverse=True)}
    for locale in fallback_chain(wanted, default):
        if locale in by_name:
            return by_name[locale]
        if "-" not in locale:
            sisters = sorted(name for name in by_name if name.startswith(f"{locale}-"))
            if sisters:
                return by_name[sisters[0]]
    return by_name[min(by_name)] if by_name else None


def normalised(locale: str) -> str:
    """Return a BCP 47 tag in one spelling: "DE_at" and "de-AT" are the same."""
    return locale.strip().replace("_", "-").lower()
