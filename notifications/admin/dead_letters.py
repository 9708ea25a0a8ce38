"""Dead letters, and deliveries whose outcome nobody learned: what an operator sees to."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from notifications import dead_letters, rate_limits, unknown_outcomes
from notifications.admin import words
from notifications.models import DeadLetter, Delivery
from preferences.admin.base import ReadOnlyAdmin, actor, display, moment
from project.foundation.ids import created_at


class ReplayForm(ActionForm):  # type: ignore[misc]
    rate = forms.CharField(
        required=False, label="At a rate", widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "100/s"})
    )
    extend = forms.BooleanField(required=False, label="Also what has expired", widget=UnfoldBooleanWidget)


class DeliveryList(ReadOnlyAdmin):
    """What both lists show."""

    list_display = ["at", "user", "type", "channel_pill", "account", "error", "attempts"]
    list_filter = ["channel", "type", "mode", ("provider_account", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user", "type", "provider_account"]
    search_fields = ["error", "user__user_id", "provider_account__name"]
    search_help_text = "Part of the error, a user id or an account"
    fields = ["at", "user", "type", "channel_pill", "account", "status", "error", "attempts", "expires_at", "why"]
    readonly_fields = ["at", "channel_pill", "account", "why"]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"notifications.change_{self.opts.model_name}")

    @admin.display(description="When", ordering="id")
    def at(self, delivery: Delivery) -> str:
        return moment(created_at(delivery.id))

    @display(description="Channel", ordering="channel", label=True)
    def channel_pill(self, delivery: Delivery) -> str:
        return str(delivery.get_channel_display())

    @admin.display(description="Why it was sent")
    def why(self, delivery: Delivery) -> str:
        url = reverse("admin:notifications_notification_why_this", args=[delivery.notification_id])
        return format_html('<a href="{}">All rules, and what they had chosen</a>', url)

    @admin.display(description="Through")
    def account(self, delivery: Delivery) -> str:
        return delivery.provider_account.name if delivery.provider_account_id and delivery.provider_account else "–"


class DeadLetterAdmin(DeliveryList):
    """Given up on. Choose some, or all that match, and send them again."""

    actions = ["replay"]
    action_form = ReplayForm

    def get_queryset(self, request: HttpRequest) -> "QuerySet[DeadLetter]":
        return super().get_queryset(request).filter(dead=True)

    @admin.action(description="Send again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: "QuerySet[DeadLetter]") -> None:
        """Send again what was chosen. Consent is asked anew, and expiry unless it is extended."""
        try:
            rate = rate_limits.parse(request.POST.get("rate", "").strip())
        except ValueError as error:
            messages.error(request, f"Nothing was sent. {error}")
            return
        extend = bool(request.POST.get("extend"))
        count = dead_letters.replay(queryset, actor=actor(request), rate=rate, extend=extend)
        messages.success(request, "One is on its way again." if count == 1 else f"{count} are on their way again.")


class UnknownDeliveryAdmin(DeliveryList):
    """The provider was called and its answer was lost. Somebody who can look there says what became of it."""

    actions = ["was_sent", "send_again"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).filter(status=Delivery.Status.UNKNOWN)

    @admin.action(description="It was sent", permissions=["replay"])
    def was_sent(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        count = unknown_outcomes.resolve_as_sent(list(queryset.values_list("id", flat=True)), actor=actor(request))
        messages.success(request, f"{count} marked {words.event('sent').lower()}.")

    @admin.action(description="Send it again, even if it arrives twice", permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        count = unknown_outcomes.send_again(list(queryset.values_list("id", flat=True)), actor=actor(request))
        messages.success(request, f"{count} on the way again.")
