"""A provider account's form, made from what the provider says of its options."""

import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from notifications import account_changes, rate_limits
from notifications.models import ProviderAccount
from notifications.providers import options
from notifications.providers.base import Provider
from preferences.channels import CHANNELS
from preferences.models import Category

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[ProviderAccount]
else:
    _ModelForm = forms.ModelForm


_PREFIX = "option_"
# Values that are not written like a word.
_CHOICES = {"none": "None", "starttls": "STARTTLS", "tls": "TLS"}


def make(provider: type[Provider]) -> type["AccountForm"]:
    """Return the form for accounts of one provider."""
    described = options.describe(provider.Options)
    fields: dict[str, Any] = {f"{_PREFIX}{option.name}": _field(option) for option in described.values()}
    return type("AccountForm", (AccountForm,), {**fields, "provider_class": provider})


def by_number(provider: type[Provider]) -> bool:
    """Tell whether a provider reaches telephones, whose numbers have a country."""
    return any(channel in account_changes.BY_NUMBER for channel in provider.channels)


class AccountForm(_ModelForm):
    provider_class: type[Provider]
    weight = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Accounts of the same order share the messages: one of weight 3 takes three times what 1 takes.",
    )
    categories = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen: it serves all of them.",
    )
    countries = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of the phone numbers it serves, such as DE, AT. Empty: it serves all of them.",
    )

    class Meta:
        model = ProviderAccount
        fields = ["name", "channel", "order", "enabled", "rate_limit"]
        widgets = {
            "name": UnfoldAdminTextInputWidget,
            "order": UnfoldAdminIntegerFieldWidget,
            "enabled": UnfoldBooleanSwitchWidget,
            "rate_limit": UnfoldAdminTextInputWidget,
        }
        help_texts = {
            "order": "Of a channel’s accounts the one with the lowest number goes first.",
            "enabled": "Switched off, nothing goes through it: what has no other account is held.",
            "rate_limit": "At most so many messages: 100/s, 1000/m. Empty: as fast as it goes.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["name"]  # shown, and never changed: it is how the API knows the account
        self.fields["channel"] = forms.ChoiceField(
            choices=[(key, CHANNELS[key].name) for key in self.provider_class.channels], widget=UnfoldAdminSelectWidget
        )
        known = Category.objects.values_list("key", "name")
        chosen = self.instance.categories
        gone = [(key, key) for key in chosen if key not in {key for key, _ in known}]
        self.fields["categories"] = forms.MultipleChoiceField(
            required=False,
            choices=[*known, *gone],
            initial=chosen,
            widget=self.fields["categories"].widget,
            help_text=self.fields["categories"].help_text,
        )
        self.fields["countries"].initial = ", ".join(self.instance.countries)
        self.fields["weight"].initial = self.instance.weight
        if not by_number(self.provider_class):
            del self.fields["countries"]
        for name, value in options.shown(self.provider_class.Options, self.instance.options or {}).items():
            if not options.describe(self.provider_class.Options)[name].secret:
                field = self.fields[_PREFIX + name]
                field.initial = value if isinstance(field, forms.JSONField) else _as_text(value)

    def option_fields(self) -> list[str]:
        return [name for name in self.fields if name.startswith(_PREFIX)]

    def clean(self) -> dict[str, Any]:
        """Let the account's own writer check it, and put each fault beside its field."""
        cleaned = super().clean() or {}
        described = options.describe(self.provider_class.Options)
        given = {name: cleaned.get(_PREFIX + name) for name in described}
        stored = self.instance.options if self.instance.pk else {}
        self.given = {name: value for name, value in given.items() if value not in (None, "")}
        _, faults = options.merged(self.provider_class.Options, self.given, stored)
        for fault in faults:
            name = fault.pointer.rsplit("/", 1)[-1]
            if _PREFIX + name in self.errors:
                continue  # the field itself has said so
            self.add_error(_PREFIX + name if name in described else None, fault.message)
        self.given_countries = (cleaned.get("countries") or "").replace(",", " ").split()
        channel = cleaned.get("channel") or ""
        for fault in account_changes.serving_faults(channel, self.given_countries, cleaned.get("categories") or []):
            self.add_error(fault.pointer.removeprefix("/"), fault.message)
        return cleaned

    def clean_rate_limit(self) -> str:
        text: str = self.cleaned_data["rate_limit"].strip()
        try:
            rate_limits.parse(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        return text

    def store(self, *, actor: str) -> ProviderAccount:
        """Write the account through its one writer."""
        wanted = account_changes.Wanted(
            provider=self.provider_class.key,
            channel=self.cleaned_data["channel"],
            options=self.given,
            order=self.cleaned_data["order"],
            enabled=self.cleaned_data["enabled"],
            rate_limit=self.cleaned_data["rate_limit"],
            weight=self.cleaned_data["weight"] or 1,
            countries=self.given_countries,
            categories=self.cleaned_data["categories"],
        )
        name = self.instance.name if self.instance.pk else self.cleaned_data["name"]
        account, _ = account_changes.save(name, wanted, actor=actor)
        return account


def _field(option: options.Option) -> forms.Field:
    label = option.name.replace("_", " ").capitalize()
    required = option.required and not option.secret
    if option.secret:
        help_text = (
            "Stored encrypted and never shown again. Leave it empty to keep what is stored; env:NAME reads a variable."
        )
        return forms.CharField(
            label=label,
            required=False,
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
            help_text=help_text,
        )
    kind = _plain(option.type)
    if get_origin(kind) is Literal:
        automatic = [] if option.required or option.default is not None else [("", "Automatic")]
        choices = [*automatic, *((value, _CHOICES.get(value, value)) for value in get_args(kind))]
        return forms.ChoiceField(label=label, required=required, choices=choices, widget=UnfoldAdminSelectWidget)
    if kind is bool:
        return forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget)
    if kind is int:
        return forms.IntegerField(label=label, required=required, widget=UnfoldAdminIntegerFieldWidget)
    if isinstance(kind, type) and issubclass(kind, dict) or get_origin(kind) in (dict, Mapping):
        return forms.JSONField(label=label, required=required, widget=UnfoldAdminTextareaWidget)
    return forms.CharField(label=label, required=required, widget=UnfoldAdminTextInputWidget)


def _as_text(value: Any) -> Any:
    """Return a value, or what was given as an object as people write it: "DE=Shop, US=+12025550123"."""
    return ", ".join(f"{name}={each}" for name, each in value.items()) if isinstance(value, dict) else value


def _plain(kind: Any) -> Any:
    """Return a type without its constraints and without `| None`."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        rest = [each for each in get_args(kind) if each is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else kind
    return kind
