"""What a template is shown and tested with when nobody has been told anything yet."""

from collections.abc import Mapping
from typing import Any

from templates_app import schemas
from templates_app.models import Template, Type

ADA: dict[str, Any] = {
    "user_id": "ada",
    "name": "Ada Lovelace",
    "first_name": "Ada",
    "email": "ada@example.com",
    "locale": "en",
    "timezone": "Europe/London",
}


def of_template(template: Template) -> list[tuple[Type | None, dict[str, Any]]]:
    """Return sample template_variables, with the type each comes from: the examples of every type that uses it."""
    return [
        (type_, example)
        for type_ in template.types.select_related("category").order_by("key")
        for example in schemas.examples(type_.schema)
    ]


def variables(
    template_variables: Mapping[str, Any], type_: Type | None = None, user: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return all that a template sees, as a send would lay it over the payload's own variables."""
    category = (
        {"key": type_.category.key, "name": type_.category.name} if type_ else {"key": "sample", "name": "Sample"}
    )
    return {
        "title": type_.name if type_ else "Sample title",
        "body": "Sample body.",
        "link": "https://example.com/",
        **template_variables,
        "type": type_.key if type_ else "SAMPLE",
        "user": dict(user) if user is not None else ADA,
        "category": category,
        "unsubscribe_url": "https://example.com/unsubscribe",
    }
