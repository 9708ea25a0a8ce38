"""Rendering the demo's templates: compiled to Python, and by python-liquid: `python -m tests.benchmarks.liquid`.

Every template of the demo, e-mail (subject, HTML and text) and all other channels, for one person after another with
names, numbers and prices of their own. Both say the same, which is checked first for every person. Filters are the same
functions for both; what they remember of amounts and days is forgotten before each turn. "message": all that
`rendering.render` does for one. Microseconds of processor time. ROUNDS (5); BENCH=quick: 3.
"""

import json
import os
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from templates_app import compiling, liquid, liquid_filters, rendering, samples, schemas  # noqa: E402
from templates_app.liquid import Reader  # noqa: E402
from templates_app.liquid_parts import Parts  # noqa: E402
from tests.benchmarks.harness import Part, interleaved, must_equal, ratio  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", 3 if os.environ.get("BENCH") == "quick" else 5))
PEOPLE = 100
DEMO = Path(__file__).resolve().parents[2] / "project" / "demo" / "content"
TEMPLATES = ("new_comment", "order_confirmation", "order_shipped", "password_reset", "weekly_offers")
EMAIL, OTHERS = "e-mail", "other channels"

Render = Callable[[Mapping[str, Any], Reader], object]


def measure() -> Part:
    part = Part("liquid", "Rendering Liquid")
    cases: dict[str, Callable[[], float]] = {}
    pairs = []
    for template in TEMPLATES:
        people = [rendering.seen_by_authors(given) for given in _people(template)]
        for channels, contents in _contents(template).items():
            compiled, reference = _compiled(contents), _by_python_liquid(contents)
            reader = rendering.reader_of("en-GB", "Europe/London", "en")
            for given in people:
                must_equal(compiled=str(compiled(given, reader)), python_liquid=str(reference(given, reader)))
            name = f"{template}, {channels}"
            cases[f"compiled, {name}"] = _case(compiled, people, reader, len(contents))
            cases[f"python-liquid, {name}"] = _case(reference, people, reader, len(contents))
            pairs.append(name)
    cases["message, order_confirmation, e-mail"] = _message("order_confirmation")
    found = interleaved(cases, ROUNDS, unit="µs")
    part.measured = list(found.values())
    for name in pairs:
        ours, theirs = found[f"compiled, {name}"], found[f"python-liquid, {name}"]
        part.ratios.append(ratio(f"python-liquid's time by ours, {name}", theirs, ours, must=5, aim=10))
    part.facts["people"] = PEOPLE
    return part


def _contents(template: str) -> dict[str, list[Mapping[str, str]]]:
    """Return the template's English contents as they are published, e-mail apart."""
    english = tomllib.loads((DEMO / "templates" / f"{template}.toml").read_text())["en"]
    compiled = {channel: compiling.compile_parts(channel, "en", parts) for channel, parts in english.items()}
    return {EMAIL: [compiled.pop("email")], OTHERS: list(compiled.values())}


def _people(template: str) -> list[dict[str, Any]]:
    """Return what PEOPLE people are told: the schema's fullest example, with values of their own."""
    examples = schemas.examples(json.loads((DEMO / "schemas" / f"{template}.json").read_text()))
    fullest = max(examples, key=lambda example: len(json.dumps(example)))
    return [samples.variables(_own(fullest, number)) for number in range(PEOPLE)]


def _own(value: Any, number: int, name: str = "") -> Any:
    """Return a person's own value: other texts, prices and days than anybody else's."""
    if isinstance(value, dict):
        return {name: _own(each, number, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_own(each, number, name) for each in value]
    if isinstance(value, float):
        return round(value + number / 100, 2)
    if not isinstance(value, str) or name == "currency":
        return value
    try:
        return str(date.fromisoformat(value) + timedelta(days=number % 7))
    except ValueError:
        return f"{value}{number}"


def _compiled(contents: list[Mapping[str, str]]) -> Render:
    parts = [Parts(content) for content in contents]
    assert [each.compiled for each in parts] == [content.keys() for content in contents]
    return lambda given, reader: [dict(each.render(given, reader)) for each in parts]


def _by_python_liquid(contents: list[Mapping[str, str]]) -> Render:
    parsed = [
        {part: liquid.parse(source, escape=liquid.escape_of(part)) for part, source in content.items()}
        for content in contents
    ]
    return lambda given, reader: [
        {part: template.render(given, reader) for part, template in each.items()} for each in parsed
    ]


def _case(render: Render, people: list[dict[str, Any]], reader: Reader, messages: int) -> Callable[[], float]:
    def run() -> float:
        liquid_filters.forget()
        started = time.process_time()
        for given in people:
            render(given, reader)
        return (time.process_time() - started) / len(people) / messages * 1e6

    return run


def _message(template: str) -> Callable[[], float]:
    english = tomllib.loads((DEMO / "templates" / f"{template}.toml").read_text())["en"]
    contents = rendering.of_drafts([("email", "en", english["email"])])
    people = _people(template)

    def run() -> float:
        liquid_filters.forget()
        started = time.process_time()
        for given in people:
            rendering.render(contents, channel="email", locale="en-GB", timezone="Europe/London", variables=given)
        return (time.process_time() - started) / len(people) * 1e6

    return run


def main() -> int:
    part = measure()
    for each in part.measured:
        print(f"{each.name}: {each.median:,.1f} µs a message")
    for each in part.ratios:
        print(f"{each.name}: {each.median:.1f} × ({each.met})")
    return 0 if all(each.met in ("must", "aim") for each in part.ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
