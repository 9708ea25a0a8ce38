"""The news that everybody is told in these benchmarks, in Liquid and in Django's language, and who may get it. Pure."""

from typing import Any

SENDER = "Shop <hello@example.com>"
ITEMS = [{"name": f"Thing no. {n}", "price": f"{n * 7}.90"} for n in range(1, 4)]
VARIABLES: dict[str, Any] = {"items": ITEMS, "shop": "Bell and Sons", "sale": True, "code": "BELL-20"}
LINK = "https://example.com/news"

SUBJECT = "{{ user.name }}, {{ items.size }} things are new at {{ shop }}"
TEXT = """Hello {{ user.name }},

{% if sale %}this week everything is cheaper with {{ code }}.{% else %}this is new this week.{% endif %}
{% for item in items %}* {{ item.name }}: {{ item.price }} EUR
{% endfor %}
See all: {{ link }}
Settings: {{ unsubscribe_url }}
"""
HTML = """<html><head><style>p { color: #35423e } .button { background: #0f766e; color: #fff; padding: 8px 16px }
td { border-bottom: 1px solid #e3e6e1; padding: 4px }</style></head><body><h1>Hello {{ user.name }},</h1>
{% if sale %}<p>this week everything is cheaper with <b>{{ code }}</b>.</p>
{% else %}<p>this is new this week.</p>{% endif %}
<table>{% for item in items %}<tr><td>{{ item.name }}</td><td>{{ item.price }} EUR</td></tr>{% endfor %}</table>
<p>We look forward to your visit. What you see here is held back for you until the end of the week.</p>
<p><a class="button" href="{{ link }}">See all</a></p>
<p>You get this because you have an account at {{ shop }}.
<a href="{{ unsubscribe_url }}">Notification settings</a></p></body></html>"""
# Django's own language says the same but for the length of a list.
DJANGO_SUBJECT = SUBJECT.replace("items.size", "items|length")
DJANGO_CONTEXT = VARIABLES | {"link": LINK, "unsubscribe_url": "http://127.0.0.1:8000/preferences/"}


def wants_mail(number: int) -> bool:
    """Tell whether person `number` may get the news by e-mail. One in six does not want it, in one of three ways."""
    return not (number % 10 == 3 or number % 20 == 7 or number % 50 == 11)


def allowed(count: int) -> int:
    return sum(map(wants_mail, range(count)))
