"""What all our admin pages share. The theme (django-unfold) is used through here, so that it could be replaced here."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold import decorators
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from preferences.models import User
from project.foundation import audit
from project.foundation.client_ip import client_ip
from project.foundation.encryption import EncryptedTextField

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _DjangoAdmin

    _Typed = _DjangoAdmin[Any]
else:
    _Typed = ModelAdmin

Function = TypeVar("Function", bound=Callable[..., Any])


def display(
    *, description: str, ordering: str | None = None, label: bool | dict[str, str] | None = None
) -> Callable[[Function], Function]:
    """Describe a column; `label` shows it as a pill, coloured by its word: {"Failed": "danger"}."""
    decorator: Callable[[Function], Function] = decorators.display(
        description=description, ordering=ordering, label=label
    )
    return decorator


def action(
    *, description: str, url_path: str, permissions: list[str], icon: str | None = None
) -> Callable[[Function], Function]:
    """Make a method a button above a row's page, which leads to `<row>/<url_path>`."""
    decorator: Callable[[Function], Function] = decorators.action(
        description=description, url_path=url_path, permissions=permissions, icon=icon
    )
    return decorator


# What Django's own list filters add to a field's name.
_NARROWING = {"id", "pk", "exact", "in", "isnull", "gte", "gt", "lte", "lt"}


def moment(at: datetime) -> SafeString:
    """Return a time as lists show it: how long ago, with the exact moment on hover and for programs."""
    exact = at.strftime("%-d %B %Y, %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, naturaltime(at))


def actor(request: HttpRequest) -> str:
    """Return how the audit trail names whoever is signed in to the admin."""
    return f"staff:{request.user.get_username()}"


def who(actor: str) -> str:
    """Return in words whom the audit trail names: "grace", "shop (API)", "Holder of link …e1f0a2"."""
    kind, _, name = actor.partition(":")
    said = {
        "staff": name,
        "key": f"{name} (API)",
        "user": f"{name} (themselves)",
        "link": f"Holder of link …{name[-6:]}",
    }
    return said.get(kind, "Carillon")


class Admin(_Typed):
    """A model's pages: quick on long tables, and every change in the audit trail."""

    empty_says = "What is added stands here."  # under an empty list
    # Which attribute of a row is the key of the person whose data its page shows in clear: who looks at it is noted.
    tells_of = ""

    show_full_result_count = False
    list_per_page = 50
    warn_unsaved_form = True
    formfield_overrides = {EncryptedTextField: {"widget": UnfoldAdminTextInputWidget}}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Let a list be narrowed by what its filters say and by nothing else: any other look-up reads what it likes."""
        offered = [each[0] if isinstance(each, tuple | list) else each for each in self.get_list_filter(request)]
        if lookup in {getattr(each, "parameter_name", None) for each in offered}:
            return True
        for name in filter(lambda each: isinstance(each, str), offered):
            if lookup == name or lookup.startswith(f"{name}__"):
                return set(lookup.removeprefix(str(name)).split("__")[1:]) <= _NARROWING
        return False

    def render_change_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.note_look(request, kwargs.get("obj"))
        return super().render_change_form(request, *args, **kwargs)

    def note_look(self, request: HttpRequest, obj: models.Model | None) -> None:
        """Put into the trail that somebody looks at a person's data. For pages of our own; forms call it themselves."""
        if self.tells_of and obj is not None and request.method == "GET":
            row = {} if isinstance(obj, User) else {"id": str(obj.pk)}
            act, whom = f"{self.opts.model_name}.viewed", f"user:{getattr(obj, self.tells_of)}"
            audit.record(actor(request), act, whom, ip=client_ip(request), **row)

    def save_model(self, request: HttpRequest, obj: models.Model, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._note(request, obj, "changed" if change else "created", fields=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self._note(request, obj, "deleted")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            self._note(request, obj, "deleted")
        super().delete_queryset(request, queryset)

    def _note(self, request: HttpRequest, obj: models.Model, act: str, **detail: Any) -> None:
        name = str(self.opts.model_name)
        audit.record(actor(request), f"{name}.{act}", f"{name}:{_label(obj)}", ip=client_ip(request), **detail)


def _label(obj: models.Model) -> str:
    """Return how the trail calls a row. People by our own key: theirs is often an e-mail address."""
    if isinstance(obj, User):
        return str(obj.pk)
    return str(getattr(obj, "key", None) or getattr(obj, "name", None) or obj.pk)


class ReadOnlyAdmin(Admin):
    """For what the system writes: to look at, never to change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
