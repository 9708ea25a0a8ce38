"""`/problems/<code>`: where the `type` of a problem leads."""

import re
from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

_ROW = re.compile(r"^\| `(\w+)` \| (?:\d{3} \| )?(.+?) \|(?: (.+?) \|)?$", re.MULTILINE)


def show(request: HttpRequest, code: str) -> HttpResponse:
    """Say what a code means and what to do, in the words of docs/problems.md."""
    meanings = _meanings().get(code)
    if meanings is None:
        raise Http404
    return render(request, "problem.html", {"code": code, "meanings": meanings})


@cache
def _meanings() -> dict[str, list[str]]:
    """Return the sentences for each code."""
    found: dict[str, list[str]] = {}
    for code, meaning, remedy in _ROW.findall((settings.BASE_DIR / "docs" / "problems.md").read_text()):
        found.setdefault(code, []).append(f"{meaning} {remedy}".replace("`", "").strip())
    return found
