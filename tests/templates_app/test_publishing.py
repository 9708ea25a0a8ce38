from typing import Any

import pytest

from project.foundation.models import AuditEvent
from project.foundation.problems import Conflict, InvalidRequest
from templates_app import drafts, publishing, rendering
from templates_app.models import Content, Template, TemplateVersion, Type
from templates_app.models.version import Immutable
from tests.templates_app.conftest import draft


def refused(template: Template) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        publishing.publish(template, actor="staff:mia")
    template.refresh_from_db()
    assert template.published is None
    return [(fault.pointer, fault.code, fault.message) for fault in caught.value.errors]


def test_a_published_draft_is_what_sends_use(template: Template, order_shipped: Type) -> None:
    version = publishing.publish(template, actor="staff:mia")

    template.refresh_from_db()
    assert template.published == version
    assert (version.number, version.published_by) == (1, "staff:mia")
    assert AuditEvent.objects.filter(action="template.published", target="template:order_shipped").count() == 1


def test_every_fault_is_named_at_once(template: Template, order_shipped: Type) -> None:
    draft(
        "order_shipped",
        ("sms", "en", {"text": "fine"}),
        ("push", "en", {"title": "a\n{{ tracking }}", "body": "{% if x %}"}),
        ("email", "de", {"subject": "", "html": "<p>\n\n{{ order_id | nope }}</p>"}),
    )

    found = refused(template)

    assert [(pointer, code) for pointer, code, _ in found] == [
        ("/contents/0/parts/subject", "required"),
        ("/contents/0/parts/html", "invalid_template"),
        ("/contents/1/parts/title", "missing_variable"),
        ("/contents/1/parts/body", "invalid_template"),
    ]
    assert found[1][2].startswith("Line 3: ")
    assert "tracking" in found[2][2]


@pytest.mark.parametrize(
    ("channel", "parts", "part"),
    [
        ("in_app", {"title": "x", "link": "javascript:alert(1)"}, "link"),
        ("in_app", {"title": "x", "actions": '[{"label": "x"}]'}, "actions"),
        ("webhook", {"json": "{{ order_id }}"}, "json"),
        ("email", {"subject": "x", "html": "<a {{ order_id }}>x</a>"}, "html"),
    ],
)
def test_what_shows_only_in_the_whole_message_is_refused_too(
    template: Template, order_shipped: Type, channel: str, parts: dict[str, str], part: str
) -> None:
    draft("order_shipped", (channel, "en", parts))

    assert [(pointer, code) for pointer, code, _ in refused(template)] == [
        (f"/contents/0/parts/{part}", "invalid_template")
    ]


def test_every_example_is_tried(template: Template, order_shipped: Type) -> None:
    order_shipped.schema["examples"].append({"order_id": "B", "customer_name": "Bo", "gift": True})
    order_shipped.save()
    draft("order_shipped", ("sms", "en", {"text": "{% if gift %}{{ wrapping }}{% endif %}ok"}))

    assert [code for _, code, _ in refused(template)] == ["missing_variable"]


def test_a_template_of_no_type_is_only_read(db: None) -> None:
    template = draft("loose", ("sms", "en", {"text": "{{ anything }}"}))

    assert publishing.publish(template, actor="t").published_at is not None


def test_an_empty_draft_is_refused(db: None) -> None:
    assert [pointer for pointer, _, _ in refused(draft("empty"))] == ["/contents"]


def test_without_a_draft_there_is_nothing_to_publish(template: Template, order_shipped: Type) -> None:
    publishing.publish(template, actor="t")

    with pytest.raises(Conflict):
        publishing.publish(template, actor="t")


def test_a_draft_leaves_what_is_published_alone(template: Template, order_shipped: Type) -> None:
    first = publishing.publish(template, actor="t")

    second, _ = drafts.save("order_shipped", contents=[drafts.ContentDraft("sms", "en", {"text": "Second"})], actor="t")

    template.refresh_from_db()
    assert (second.number, second.published_at) == (2, None)
    assert template.published == first
    assert first.contents.get().parts == {"text": "Order {{ order_id }} is on its way, {{ customer_name }}."}


def test_a_second_draft_replaces_the_first(template: Template) -> None:
    version, created = drafts.save(
        "order_shipped", contents=[drafts.ContentDraft("push", "en", {"title": "x"})], actor="t"
    )

    assert not created
    assert TemplateVersion.objects.count() == 1
    assert version.contents.get().channel == "push"


@pytest.mark.parametrize("change", ["save", "delete"])
def test_what_is_published_cannot_be_changed(template: Template, order_shipped: Type, change: str) -> None:
    version = publishing.publish(template, actor="t")
    content = version.contents.get()

    for row in (content, version):
        with pytest.raises(Immutable):
            getattr(row, change)()
    with pytest.raises(Immutable):
        Content(version=version, channel="push", locale="en").save()


def test_a_change_of_the_template_does_not_reach_a_pinned_version(template: Template, order_shipped: Type) -> None:
    first = publishing.publish(template, actor="t")
    draft("order_shipped", ("sms", "en", {"text": "Second"}))
    publishing.publish(template, actor="t")

    def said(version: int) -> Any:
        variables = {"order_id": "A", "customer_name": "Ada"}
        contents = rendering.version_contents(version)
        return rendering.render(contents, channel="sms", locale="en", timezone="", variables=variables).parts["text"]

    template.refresh_from_db()
    assert template.published is not None
    assert said(first.pk) == "Order A is on its way, Ada."
    assert said(template.published.pk) == "Second"


def test_a_draft_names_every_fault_of_its_contents(db: None) -> None:
    contents = [
        drafts.ContentDraft("fax", "en", {}),
        drafts.ContentDraft("sms", "not a locale", {"html": "x"}),
        drafts.ContentDraft("sms", "en", {"text": "x"}),
        drafts.ContentDraft("sms", "EN", {"text": "x"}),
    ]

    with pytest.raises(InvalidRequest) as caught:
        drafts.save("a", contents=contents, actor="t")

    assert [fault.pointer for fault in caught.value.errors] == [
        "/contents/0/channel",
        "/contents/1/locale",
        "/contents/1/parts/html",
        "/contents/3",
    ]
    assert not Template.objects.exists()


WHOLE = "<!doctype html><html><body><p>Half price</p>{footer}</body></html>"


@pytest.fixture
def selling(template: Template, order_shipped: Type) -> Template:
    """A template of marketing."""
    order_shipped.category.kind = "marketing"
    order_shipped.category.save()
    return template


def test_marketing_mail_without_a_way_out_or_an_address_is_refused(selling: Template) -> None:
    draft("order_shipped", ("email", "en", {"subject": "Hi", "html": WHOLE.format(footer="")}))

    found = refused(selling)

    assert {(code, message.split(":")[0]) for _, code, message in found} == {
        ("required", "Marketing mail must say how to stop it"),
        ("required", "Marketing mail must carry your postal address"),
    }
    assert found[0][0] == "/contents/0/parts/html"


@pytest.mark.parametrize(
    "html",
    [
        "<p>Half price</p>",  # our layout says both
        WHOLE.format(footer='<a href="{{ unsubscribe_url }}">Stop</a> {{ postal_address }}'),
        WHOLE.format(footer='<a href="{{ unsubscribe_url }}">Stop</a> Carillon Ltd, 1 Bell Lane'),
    ],
)
def test_marketing_mail_with_both_is_published(selling: Template, settings: Any, html: str) -> None:
    settings.POSTAL_ADDRESS = "Carillon Ltd, 1 Bell Lane"
    draft("order_shipped", ("email", "en", {"subject": "Hi", "html": html}))

    assert publishing.publish(selling, actor="staff:mia").published_at is not None


def test_other_mail_needs_neither(template: Template, order_shipped: Type) -> None:
    draft("order_shipped", ("email", "en", {"subject": "Hi", "html": WHOLE.format(footer="")}))

    assert publishing.publish(template, actor="staff:mia").published_at is not None
