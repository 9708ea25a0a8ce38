"""What is said when nobody wrote a template: title, body and link, on every channel. Liquid, like all other texts."""

# What a send always gives, beside the payload's template_variables.
GIVEN = ("title", "body", "link", "type", "user", "category", "unsubscribe_url", "settings_url")

_TEXT = """{{ title }}
{% if body %}
{{ body }}
{% endif %}{% if link %}
{{ link }}
{% endif %}"""

CONTENTS: dict[str, dict[str, str]] = {
    "email": {
        "subject": "{{ title }}",
        "html": """{% if body %}<div class="preheader">{{ body | truncate: 140 }}</div>{% endif %}
<h1>{{ title }}</h1>
{% if body %}<p>{{ body | newline_to_br }}</p>{% endif %}
{% if link %}<p><a class="button" href="{{ link }}">[[open]]</a></p>{% endif %}
""",
        "text": _TEXT,
    },
    "sms": {"text": "{{ title }}{% if body %}\n{{ body }}{% endif %}{% if link %}\n{{ link }}{% endif %}"},
    "push": {"title": "{{ title }}", "body": "{{ body }}"},
    "web_push": {"title": "{{ title }}", "body": "{{ body }}"},
    "in_app": {"title": "{{ title }}", "body": "{{ body }}", "link": "{{ link }}"},
    "webhook": {
        "json": '{"type": {{ type | json }}, "user_id": {{ user.user_id | json }}, "title": {{ title | json }}, '
        '"body": {{ body | default: "" | json }}, "link": {{ link | default: "" | json }}, "data": {{ data | json }}}',
    },
    "chat": {"text": _TEXT},
    "voice": {"script": "{{ title }}.{% if body %}\n{{ body }}{% endif %}"},
}

# The few words that are ours in every mail, Liquid too. A locale that is missing here falls back like any other.
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "open": "Open",
        "why": "You get this e-mail because of “{{ category.name }}” in your notification settings.",
        "settings": "Notification settings",
        "unsubscribe": "Unsubscribe",
    },
    "de": {
        "open": "Öffnen",
        "why": "Sie bekommen diese E-Mail wegen „{{ category.name }}“ in Ihren Benachrichtigungseinstellungen.",
        "settings": "Benachrichtigungen einstellen",
        "unsubscribe": "Abbestellen",
    },
}
LOCALES = tuple(WORDS)
