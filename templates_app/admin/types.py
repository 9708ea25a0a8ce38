"""Types: what may happen, which category it belongs to, and what it must be told."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from preferences.admin.base import Admin, display
from project.foundation.durations import InvalidDuration, duration, written
from templates_app import schemas
from templates_app.models import Type
from templates_app.types import KEY, LONGEST, SHORTEST

if TYPE_CHECKING:
    _TypeForm = forms.ModelForm[Type]
else:
    _TypeForm = forms.ModelForm


class _PrettyJSON(json.JSONEncoder):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "indent": 2, "ensure_ascii": False})


class _SchemaField(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class TypeForm(_TypeForm):
    """A schema as JSON that is checked as a JSON Schema, and an expiry as people write it."""

    schema = _SchemaField(
        label="What it must be told",
        help_text="JSON Schema of template_variables. Its examples are what templates are previewed and tested with. "
        "Empty: anything goes.",
        required=False,
        encoder=_PrettyJSON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18, "spellcheck": "false", "class": "font-mono"}),
    )
    expires_after = forms.CharField(
        help_text="How long it may still be sent: 30s, 10m, 24h or 7d. Empty: 24 hours.",
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Type
        fields = ["name", "key", "category", "template", "priority", "expires_after", "schema"]
        help_texts = {
            "key": "How the API names it, like ORDER_SHIPPED. It cannot be changed later.",
            "category": "What people turn on and off.",
            "template": "What it says. Without one it sends the title, body and link that come with it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.expires_after is not None:
            self.initial["expires_after"] = written(self.instance.expires_after)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not KEY.fullmatch(key):
            raise forms.ValidationError("A key has letters, digits, and “_”, “-”, “.” or “:” between them.")
        return key

    def clean_schema(self) -> dict[str, Any] | None:
        schema = self.cleaned_data["schema"]
        if schema is None:
            return None
        if found := schemas.check(schema):
            raise forms.ValidationError([f"{fault.pointer or 'The schema'}: {fault.message}" for fault in found[:20]])
        checked: dict[str, Any] = schema
        return checked

    def clean_expires_after(self) -> Any:
        try:
            value = duration(self.cleaned_data["expires_after"].strip())
        except InvalidDuration as error:
            raise forms.ValidationError(str(error)) from error
        if value is not None and not SHORTEST <= value <= LONGEST:
            raise forms.ValidationError("It is between one second and 366 days.")
        return value


class TypeAdmin(Admin):
    form = TypeForm
    list_display = ["name", "key", "category", "template", "priority_pill"]
    list_filter = ["category", "priority"]
    list_select_related = ["category", "template"]
    search_fields = ["name", "key"]
    fieldsets = [
        (None, {"fields": ["name", "key", ("category", "template"), ("priority", "expires_after")]}),
        ("Variables", {"fields": ["schema"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Type | None = None) -> list[str]:
        return ["key"] if obj else []

    @display(description="Priority", ordering="priority", label={"High": "danger", "Medium": "info", "Low": ""})
    def priority_pill(self, type_: Type) -> str:
        return type_.get_priority_display()
