"""Templates: the list, and the page on which one is written, looked at and published."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from preferences.admin.base import Admin, actor, display
from templates_app.admin import editor
from templates_app.models import Template, TemplateVersion

if TYPE_CHECKING:
    _TemplateForm = forms.ModelForm[Template]
else:
    _TemplateForm = forms.ModelForm


class NewTemplateForm(_TemplateForm):
    class Meta:
        model = Template
        fields = ["name", "key"]
        help_texts = {
            "name": "As your colleagues will look for it.",
            "key": "How the API and types name it. It cannot be changed later.",
        }

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key == "preview":
            raise forms.ValidationError("This name is taken: /templates/preview is another page of the API.")
        return key


class TemplateAdmin(Admin):
    form = NewTemplateForm
    empty_says = "A template says one thing on every channel and in every language."
    list_display = ["name", "key", "state_pill", "says", "used_by", "updated_at"]
    search_fields = ["name", "key"]
    prepopulated_fields = {"key": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        rows: QuerySet[Template] = super().get_queryset(request)
        newest = TemplateVersion.objects.order_by("-number").prefetch_related("contents")
        return (
            rows.select_related("published")
            .prefetch_related(Prefetch("versions", newest), "types")
            .annotate(types_total=Count("types"))
        )

    def get_urls(self) -> list[URLPattern]:
        act = self._act
        return [
            path("<int:pk>/preview/", act(editor.preview, "view"), name="templates_app_template_preview"),
            path("<int:pk>/draft/", act(editor.save_draft, "change"), name="templates_app_template_draft"),
            path("<int:pk>/publish/", act(editor.publish, "publish"), name="templates_app_template_publish"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the editor; `?version=3` shows what was published then, to read."""
        template = self._find(request, object_id, "view")
        version = editor.version_to_show(template, request.GET.get("version", ""))
        may_write = self.has_change_permission(request, template)
        context = {
            **self.admin_site.each_context(request),
            **editor.context(
                template, version, may_write=may_write, may_publish=self._may(request, template, "publish")
            ),
            "title": template.name,
            "opts": self.opts,
            "original": template,
            "urls": {
                act: reverse(f"admin:templates_app_template_{act}", args=[template.pk])
                for act in ("preview", "draft", "publish")
            },
        }
        return TemplateResponse(request, "templates_app/admin/editor.html", context)

    def response_add(self, request: HttpRequest, obj: Template, post_url_continue: str | None = None) -> HttpResponse:
        if self.has_change_permission(request, obj) or self.has_view_permission(request, obj):
            return HttpResponseRedirect(reverse("admin:templates_app_template_change", args=[obj.pk]))
        return super().response_add(request, obj, post_url_continue)

    def has_delete_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        """What was published was sent, and what was sent must stay explainable."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.published_id is None)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is done to many templates at once: deleting in bulk would pass by the rule for each."""
        return {}

    @display(description="State", label={"Published": "success", "Draft": "warning", "Draft over published": "info"})
    def state_pill(self, template: Template) -> str:
        newest = next(iter(template.versions.all()), None)
        drafted = newest is not None and newest.published_at is None
        if template.published_id is None:
            return "Draft" if drafted else "Empty"
        return "Draft over published" if drafted else "Published"

    @display(description="Says it by")
    def says(self, template: Template) -> str:
        newest = next(iter(template.versions.all()), None)
        channels = {content.get_channel_display(): None for content in (newest.contents.all() if newest else [])}
        return ", ".join(channels) or "–"

    @admin.display(description="Used by", ordering="types_total")
    def used_by(self, template: Template) -> str:
        return ", ".join(type_.name for type_ in template.types.all()) or "–"

    def _act(self, view: Any, permission: str) -> Any:
        """Return a view of the editor's own, for those who may do what it does."""

        def guarded(request: HttpRequest, pk: int) -> HttpResponse:
            template = self._find(request, str(pk), permission)
            return editor.answer(view, request, template, actor(request))

        return self.admin_site.admin_view(require_POST(guarded))

    def _find(self, request: HttpRequest, pk: str, permission: str) -> Template:
        if not self._may(request, None, permission):
            raise PermissionDenied
        template: Template | None = self.get_object(request, pk)
        if template is None:
            raise Http404
        return template

    def _may(self, request: HttpRequest, template: Template | None, permission: str) -> bool:
        if permission == "publish":  # a right of its own, so that authors need not be publishers
            may_publish: bool = request.user.has_perm("templates_app.change_templateversion")
            return may_publish and self.has_change_permission(request, template)
        may: bool = getattr(self, f"has_{permission}_permission")(request, template)
        return may
