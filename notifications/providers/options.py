"""A provider's options: a frozen dataclass is the schema of what an account stores.

A field name's trailing underscore is not part of the option (`from_` is the option `from`). A stored string
`env:NAME` stands for the environment variable NAME, read when it is used, if it is one of those that the operator set
aside for accounts.
"""

import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from django.conf import settings

from project.foundation.faults import join, of_type
from project.foundation.problems import Fault

HIDDEN = "•••"
_ENVIRONMENT = "env:"
# Whatever the settings say: an account may name the credentials of a service, never the keys that everything rests on.
_NEVER_FROM_ENVIRONMENT = re.compile(
    r"SECRET_KEY\w*|ENCRYPTION_KEYS\w*|BLIND_INDEX_KEYS\w*|DATABASE_\w*|BROKER_\w*|REDIS\w*|RABBITMQ\w*|POSTGRES\w*|PG[A-Z]+"
    r"|CELERY_\w*|DJANGO_\w*"
)

# Options that say which server an account speaks to, and whether others can listen.
_DESTINATIONS = ("host", "port", "base_url", "esp", "region", "security")

Check = Callable[[Any], None]
T = TypeVar("T")


class BadOptions(Exception):
    """The stored options do not make a usable account: an environment variable is missing or a value is wrong."""


@dataclass(frozen=True)
class Option:
    """One option, as the dataclass's field says it."""

    name: str
    field: str
    type: Any
    required: bool
    secret: bool
    default: Any
    check: Check | None
    lines: bool  # of several: a form offers room for them


def secret(default: str = "", **more: Any) -> Any:
    """Declare a credential: stored encrypted, never shown again."""
    return dataclasses.field(default=default, repr=False, metadata={"secret": True, **more})


def needed_secret(check: Check | None = None, *, lines: bool = False) -> Any:
    """Declare a credential without which the account is none. `check` raises ValueError with a sentence.

    `lines`: it has several, such as a key file.
    """
    return dataclasses.field(repr=False, metadata={"secret": True, "check": check, "lines": lines})


def checked(check: Check, **more: Any) -> Any:
    """Declare an option whose value `check` must accept; it raises ValueError with a sentence."""
    return dataclasses.field(**more, metadata={"check": check})


def describe(schema: type) -> dict[str, Option]:
    """Return the options of a schema by name."""
    types = get_type_hints(schema, include_extras=True)
    found = {}
    for field in dataclasses.fields(schema):
        name = field.name.rstrip("_")
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        found[name] = Option(
            name=name,
            field=field.name,
            type=types[field.name],
            required=required,
            secret=bool(field.metadata.get("secret")),
            default=None if required else field.default,
            check=field.metadata.get("check"),
            lines=bool(field.metadata.get("lines")),
        )
    return found


def faults(schema: type, given: Mapping[str, Any], *, pointer: str = "/options") -> list[Fault]:
    """Return every fault of the options as they are to be stored."""
    known = describe(schema)
    found = [
        Fault(join(pointer, name), "unknown_field", "This provider has no such option.")
        for name in given
        if name not in known
    ]
    for option in known.values():
        value = given.get(option.name)
        where = f"{pointer}/{option.name}"
        if value is None or (option.required and value == ""):
            if option.required:
                found.append(Fault(where, "required", "This option is required."))
        elif _names_environment(value):
            if not _may_be_read(_variable(value)):
                found.append(Fault(where, "invalid_value", f"{_cannot_be_read()}."))
        else:
            found += _faults_of(option, value, where)
    return found


def resolve(schema: type[T], stored: Mapping[str, Any]) -> T:
    """Return the options ready for use, `env:` values read from the environment. Raises BadOptions."""
    values: dict[str, Any] = {}
    for option in describe(schema).values():
        value = stored.get(option.name)
        if value is None:
            if option.required:
                raise BadOptions(f"The option {option.name} is missing.")
            continue
        if _names_environment(value):
            value = _from_environment(option, _variable(value))
        if wrong := _faults_of(option, value, ""):
            raise BadOptions(f"The option {option.name} cannot be used: {wrong[0].message}")
        values[option.field] = _resolved_inside(option, value)
    return schema(**values)


def shown(schema: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as anybody may see them: a credential is HIDDEN where set and null where not.

    The name of an environment variable is no secret.
    """
    return {option.name: _shown(option, stored.get(option.name)) for option in describe(schema).values()}


def merged(schema: type, given: Mapping[str, Any], stored: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the options to store, and every fault of them.

    A credential that is left out, or given back as it was shown, stays what it was: but only for the server it was
    given for. Otherwise whoever may change an account could have its stored password sent to a server of their own.
    """
    wanted = _with_kept_secrets(schema, given, stored)
    found = faults(schema, wanted)
    known = describe(schema)
    # What is not stored is the default: a base_url that comes anew leads away from the service, too.
    if any(_set(known[name], wanted) != _set(known[name], stored) for name in _DESTINATIONS if name in known):
        found += [
            Fault(f"/options/{option.name}", "required", "Give it again: the account now speaks to another server.")
            for option in known.values()
            if option.secret and stored.get(option.name) and given.get(option.name, HIDDEN) in (None, HIDDEN)
        ]
    return wanted, found


def _set(option: Option, values: Mapping[str, Any]) -> Any:
    value = values.get(option.name)
    return option.default if value is None else value


def _with_kept_secrets(schema: type, given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name: value for name, value in given.items() if value is not None}
    for option in describe(schema).values():
        if option.secret and wanted.get(option.name, HIDDEN) == HIDDEN:
            wanted.pop(option.name, None)
            if option.name in stored:
                wanted[option.name] = stored[option.name]
    return wanted


def _faults_of(option: Option, value: Any, where: str) -> list[Fault]:
    found = of_type(value, option.type, where)
    if not found and option.check is not None:
        try:
            option.check(value)
        except ValueError as error:
            return [Fault(where, "invalid_value", str(error))]
    return found or _faults_inside(option, value, where)


def _faults_inside(option: Option, value: Any, where: str) -> list[Fault]:
    named = [text for text in _members(option, value).values() if _names_environment(text)]
    wrong = any(not _may_be_read(_variable(text)) for text in named)
    return [Fault(where, "invalid_value", f"{_cannot_be_read()}.")] if wrong else []


def _members(option: Option, value: Any) -> dict[str, Any]:
    """Return the members of an object, or of the JSON text that may stand for one, as a form gives it."""
    if isinstance(value, str) and any(get_origin(kind) is dict for kind in get_args(option.type)):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    return value if isinstance(value, dict) else {}


def _resolved_inside(option: Option, value: Any) -> Any:
    """Return a value whose own members may name the environment too."""
    if not any(_names_environment(text) for text in _members(option, value).values()):
        return value
    return {
        name: _from_environment(option, _variable(text), str) if _names_environment(text) else text
        for name, text in _members(option, value).items()
    }


def in_words(value: Any) -> str:
    """Return the text that a stored value stands for, `env:` values read; "" where it is no text or not set."""
    if _names_environment(value):
        return os.environ.get(_variable(value), "")
    return value if isinstance(value, str) else ""


def _names_environment(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_ENVIRONMENT)


def _variable(value: str) -> str:
    return value.removeprefix(_ENVIRONMENT)


def _may_be_read(name: str) -> bool:
    prefix = settings.CREDENTIAL_ENV_PREFIX
    set_aside = (prefix and name.startswith(prefix)) or name in settings.CREDENTIAL_ENV_NAMES
    return bool(set_aside) and name.isidentifier() and _NEVER_FROM_ENVIRONMENT.fullmatch(name.upper()) is None


def _cannot_be_read() -> str:
    begins = f"begin with {settings.CREDENTIAL_ENV_PREFIX} or " if settings.CREDENTIAL_ENV_PREFIX else ""
    return f"Accounts can read variables that {begins}are named in CREDENTIAL_ENV_NAMES, and no others"


def _from_environment(option: Option, name: str, kind: Any = None) -> Any:
    if not _may_be_read(name):
        raise BadOptions(f"The option {option.name} wants the environment variable {name}. {_cannot_be_read()}.")
    text = os.environ.get(name)
    if text is None:
        raise BadOptions(f"The option {option.name} wants the environment variable {name}, which is not set.")
    try:
        return msgspec.convert(text, kind or option.type, strict=False)
    except msgspec.ValidationError as error:
        raise BadOptions(f"The environment variable {name} cannot be used for {option.name}: {error}") from None


def _shown(option: Option, value: Any) -> Any:
    if not option.secret:
        return option.default if value is None else value
    if _names_environment(value):
        return value
    return HIDDEN if value else None
