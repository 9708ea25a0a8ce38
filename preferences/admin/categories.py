from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from preferences.admin.base import Admin, display
from preferences.channels import CHANNELS, CHOICES
from preferences.models import Category

if TYPE_CHECKING:
    _CategoryForm = forms.ModelForm[Category]
else:
    _CategoryForm = forms.ModelForm


if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Category]
else:
    _ModelForm = forms.ModelForm


class CategoryForm(_CategoryForm):
    """Channels as boxes to tick, in place of JSON."""

    required_channels = forms.MultipleChoiceField(
        label="Always on",
        help_text="Nobody can turn these channels off for this category. Keep it to what people must get.",
        choices=CHOICES,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    on_by_default = forms.MultipleChoiceField(
        help_text="For people who have not chosen. Their own choice always goes first.",
        choices=CHOICES,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Category
        fields = ["key", "name", "description", "kind", "required_channels", "urgent", "double_opt_in"]
        help_texts = {
            "key": "How the API names it. It cannot be changed later.",
            "description": "People read this on their settings page.",
            "urgent": "Breaks through quiet hours.",
            "double_opt_in": "Only to e-mail addresses and phone numbers that their owner has confirmed.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        defaults = self.instance.default_channels
        if "on_by_default" in self.fields:
            self.fields["on_by_default"].initial = [
                key for key, channel in CHANNELS.items() if defaults.get(key, channel.default)
            ]

    def save(self, commit: bool = True) -> Category:
        """Keep only what differs from the channels' own defaults, so that those can still change."""
        ticked, before = self.cleaned_data["on_by_default"], self.instance.default_channels
        self.instance.default_channels = {
            key: key in ticked
            for key, channel in CHANNELS.items()
            if key in before or (key in ticked) != channel.default
        }
        return super().save(commit)


class CategoryAdmin(Admin):
    form = CategoryForm
    list_display = ["name", "key", "kind_pill", "always_on", "types_count"]
    list_filter = ["kind"]
    search_fields = ["name", "key"]
    fieldsets = [
        (None, {"fields": ["name", "key", "description", ("kind", "urgent"), "double_opt_in"]}),
        ("Channels", {"fields": ["required_channels", "on_by_default"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(types_total=Count("types"))

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        return ["key"] if obj else []

    @display(description="Kind", label={"Transactional": "info", "Marketing": "warning", "System": "primary"})
    def kind_pill(self, category: Category) -> str:
        return category.get_kind_display()

    @display(description="Always on")
    def always_on(self, category: Category) -> str:
        return ", ".join(CHANNELS[key].name for key in category.required_channels if key in CHANNELS) or "–"

    @display(description="Types", ordering="types_total")
    def types_count(self, category: Category) -> int:
        return int(getattr(category, "types_total", 0))
