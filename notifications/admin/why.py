"""Why did, or didn't, this person get it? Asked for a person and a type, or of a notification that was."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from notifications import explain
from notifications.admin import detail, explanation, words
from notifications.models import Notification
from preferences import finding
from preferences.admin.base import actor
from preferences.models import User
from project.foundation import audit, clock
from project.foundation.client_ip import client_ip
from templates_app.models import Type

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

RIGHTS = ("notifications.view_notification", "preferences.view_user")
_TYPES = Type.objects.select_related("category", "template").order_by("name")


class AskForm(forms.Form):
    """Posted, so that an address stands in no log."""

    person = forms.CharField(
        max_length=320,
        help_text="Their user id, or a whole e-mail address or phone number.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    type = forms.ModelChoiceField(
        _TYPES, to_field_name="key", help_text="What they did or didn’t get.", widget=UnfoldAdminSelectWidget
    )


def may_ask(request: HttpRequest) -> bool:
    """Tell whether somebody may see what was decided about people, and what these have chosen."""
    return request.user.has_perms(RIGHTS)


class WhyPages:
    """The two pages, under the list of notifications."""

    def __init__(self, model_admin: "ModelAdmin[Notification]") -> None:
        self._admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self._admin.admin_site.admin_view
        return [
            path("why/", view(self.ask), name="notifications_notification_why"),
            path("<uuid:id>/why/", view(self.of), name="notifications_notification_why_this"),
        ]

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Find the person and show what the rules say of them and a type, now."""
        _check(request)
        if request.method == "POST":
            return self._find(request)
        user, type_ = _named(request)
        form = AskForm(initial={"person": user.user_id if user else "", "type": type_})
        if user is None or type_ is None:
            return self._page(request, form=form)
        _note(request, user, type=type_.key)
        return self._page(
            request,
            title=f"Would {user} get {type_}?",
            form=form,
            person=user,
            type=type_,
            now=explanation.of(explain.beforehand(user, type_)),
            timing=explanation.timing_of(user, type_, clock.now()),
        )

    def of(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Show what the rules said of one notification, and what they would say now."""
        _check(request)
        notification: Notification | None = self._admin.get_object(request, str(id))
        if notification is None:
            raise Http404
        user, type_ = notification.user, notification.type
        _note(request, user, notification=str(id))
        then = explanation.of(explain.of(notification))
        now = explanation.of(explain.beforehand(user, type_, preferred=notification.channels_preferred))
        return self._page(
            request,
            title=f"Why {user} did or didn’t get {type_}",
            notification=notification,
            planned=notification.decided is not None,
            person=user,
            type=type_,
            then=then,
            now=now,
            differs=explanation.differs(then, now),
            timing=explanation.timing_of(user, type_, clock.now()),
            detail=detail.of(notification),
            status=words.status(notification),
            pill=words.pill(words.status(notification)),
        )

    def _find(self, request: HttpRequest) -> HttpResponse:
        form, people = AskForm(request.POST), []
        if form.is_valid():
            text = form.cleaned_data["person"]
            people = finding.by_user_id(text) or _by_address(request, text)
            if len(people) == 1:
                return redirect(_url(people[0], form.cleaned_data["type"]))
            if not people:
                form.add_error("person", "Nobody has this user id or this address. An address must be whole.")
        candidates = [(user, _url(user, form.cleaned_data["type"])) for user in people]
        return self._page(request, form=form, candidates=candidates)

    def _page(
        self, request: HttpRequest, *, title: str = "Why did they, or didn’t they?", **context: Any
    ) -> HttpResponse:
        shared = self._admin.admin_site.each_context(request)
        answer = TemplateResponse(
            request, "notifications/admin/why.html", {**shared, "opts": self._admin.opts, "title": title, **context}
        )
        answer["Cache-Control"] = "no-store"
        return answer


def _check(request: HttpRequest) -> None:
    if not may_ask(request):
        raise PermissionDenied


def _named(request: HttpRequest) -> tuple[User | None, Type | None]:
    """Return whom and what the address of the page names; None where it names nobody, or nothing that is."""
    pk, key = request.GET.get("user", ""), request.GET.get("type", "")
    user = User.objects.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None
    return user, _TYPES.filter(key=key).first() if key else None


def _by_address(request: HttpRequest, text: str) -> list[User]:
    people = finding.by_address(text)
    for user in people:
        audit.record(actor(request), "user.found_by_address", f"user:{user.pk}", ip=client_ip(request))
    return people


def _note(request: HttpRequest, user: User, **about: str) -> None:
    audit.record(actor(request), "explanation.read", f"user:{user.pk}", ip=client_ip(request), **about)


def _url(user: User, type_: Type) -> str:
    return f"{reverse('admin:notifications_notification_why')}?{urlencode({'user': str(user.pk), 'type': type_.key})}"
