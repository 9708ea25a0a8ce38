from typing import Any

from django.conf import settings
from django.contrib.auth.admin import UserAdmin as AccountAdmin
from django.contrib.auth.forms import UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from unfold.forms import AdminPasswordChangeForm, UnfoldReadOnlyPasswordHashWidget, UserCreationForm

from preferences import addresses, decisions, finding, loading
from preferences.admin.base import actor, display
from preferences.admin.erasing import ErasesPeople
from preferences.admin.export import PersonExportAdmin
from preferences.channels import CHANNELS
from preferences.models import Category, User
from project.foundation import audit, clock
from project.foundation.client_ip import client_ip

_RIGHTS = ("is_staff", "is_superuser", "groups")


class NewUserForm(UserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("user_id",)


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "password" in self.fields:  # absent for those who may only look; the theme's own form counts on it
            self.fields["password"].widget = UnfoldReadOnlyPasswordHashWidget()


class UserAdmin(ErasesPeople, AccountAdmin, PersonExportAdmin):  # type: ignore[type-arg]
    """People, and among them staff. Addresses are masked; choices are shown, and changed by the person."""

    tells_of = "pk"
    actions_detail = ["export_person"]
    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["user_id", "shown_name", "shown_state", "locale", "created_at"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["user_id"]
    search_help_text = "User id, or a whole e-mail address or phone number"
    ordering = ["-pk"]
    filter_horizontal = ()
    _shown = ("shown_contact_points", "shown_choices", "shown_section")
    readonly_fields = [*_shown, "created_at", "last_login", "erased_at"]
    add_fieldsets = [(None, {"fields": ["user_id", "usable_password", "password1", "password2"]})]
    fieldsets = [
        (None, {"fields": ["user_id", "name", ("locale", "timezone"), "is_active"]}),
        ("Contact points", {"fields": ["shown_contact_points"]}),
        ("What reaches them", {"fields": ["shown_choices"]}),
        ("What they were told", {"fields": ["shown_section"]}),
        ("Staff", {"classes": ["tab"], "fields": [*_RIGHTS, "password"]}),
        ("Dates", {"classes": ["tab"], "fields": ["created_at", "last_login", "erased_at"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Find by a whole address too: addresses are stored sealed and found by their fingerprint."""
        found, doubles = super().get_search_results(request, queryset, search_term)
        pks = finding.keys_by_address(search_term)
        for pk in sorted(pks):
            audit.record(actor(request), "user.found_by_address", f"user:{pk}", ip=client_ip(request))
        return (found | queryset.filter(pk__in=pks), doubles) if pks else (found, doubles)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only a superuser gives rights, renames people or touches other staff."""
        fields = list(super().get_readonly_fields(request, obj))
        if not request.user.is_superuser:
            fields += [*_RIGHTS, "password"]
        return [*fields, "user_id"] if obj else fields

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.has_perm(settings.USER_ADMIN_SECTION[0]):
            return fieldsets
        return [(title, options) for title, options in fieldsets if "shown_section" not in options["fields"]]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and (obj.is_staff or obj.is_superuser) and not request.user.is_superuser:
            return False
        if obj is not None and obj.erased_at is not None:
            return False
        return super().has_change_permission(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:  # it was taken
            audit.record(actor(request), "user.password_changed", f"user:{id}", ip=client_ip(request))
        return answer

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People are erased, which keeps the ledger; deleting would tear history apart."""
        return False

    @display(description="Name")
    def shown_name(self, user: User) -> str:
        return user.name or "–"

    @display(
        description="State",
        label={"Staff": "primary", "Erased": "danger", "Switched off": "warning", "Active": "success"},
    )
    def shown_state(self, user: User) -> str:
        if user.erased_at:
            return "Erased"
        if not user.is_active:
            return "Switched off"
        return "Staff" if user.is_staff else "Active"

    @display(description="Addresses")
    def shown_contact_points(self, user: User) -> str:
        points = [
            {
                "channel": CHANNELS[point.channel].name,
                "address": addresses.mask(point.channel, point.address),
                "usable": point.usable,
                "state": _state(point),
            }
            for point in loading.load_person(user.pk).contact_points
        ]
        return render_to_string("preferences/admin/contact_points.html", {"points": points})

    @display(description="By category")
    def shown_choices(self, user: User) -> str:
        person, now = loading.load_person(user.pk), clock.now()
        channels = [key for key in CHANNELS if not CHANNELS[key].addressed or person.address(key)]
        rows = []
        for category in Category.objects.all():
            facts = decisions.Facts(person, loading.category_facts(category), now)
            rows.append((category.name, [decisions.decide(facts, key) for key in channels]))
        context = {"channels": [CHANNELS[key].name for key in channels], "rows": rows}
        return render_to_string("preferences/admin/choices.html", context)

    @display(description="Newest first")
    def shown_section(self, user: User) -> str:
        """What a room above knows of the person."""
        section: str = import_string(settings.USER_ADMIN_SECTION[1])(user)
        return section


def _state(point: decisions.ContactPointFacts) -> str:
    if point.suppressed:
        return f"Blocked: {point.suppressed}"
    if point.disabled_reason == decisions.UNCONFIRMED:
        return "Waits for its owner to confirm it"
    if point.disabled_reason:
        return f"Out of use: {point.disabled_reason}"
    return "In use, confirmed by its owner" if point.verified else "In use"
