"""What a template sees of the person it speaks to."""

from typing import Any

from preferences.decisions import Person


def user_variables(person: Person) -> dict[str, Any]:
    """Return what templates see as `user`: the person's attributes, then the names that every person has."""
    return {
        **person.attributes,
        "user_id": person.user_id,
        "name": person.name,
        "first_name": person.name.partition(" ")[0],
        "email": person.address("email"),
        "locale": person.locale,
        "timezone": person.timezone,
    }
