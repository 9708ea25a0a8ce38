"""The bodies and answers of the API of templates and types. What is not built yet is not in them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Channel = Literal["email", "sms", "push", "web_push", "in_app", "webhook", "chat", "voice"]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Locale = Annotated[str, Meta(max_length=35)]
Source = Annotated[str, Meta(max_length=262144, description="Liquid")]
Duration = Annotated[str, Meta(description='"30s", "10m", "24h", "7d"', examples=["24h"])]


class ContentBody(Struct, forbid_unknown_fields=True):
    """`parts` of e-mail: subject, html, text; sms: text; push: title, body; in_app: title, body, link, actions; …"""

    channel: Channel
    locale: Annotated[str, Meta(min_length=2, max_length=35)]
    parts: dict[str, Source]


class TemplateBody(Struct, forbid_unknown_fields=True):
    name: Name
    contents: list[ContentBody] | None = None


class TemplateSummary(Struct):
    key: str
    name: str
    published_version: int | None
    draft_version: int | None
    created_at: datetime
    updated_at: datetime


class TemplateAnswer(TemplateSummary):
    """`contents` are the draft's if there is one, else what is published; `version` and `status` say which."""

    version: int | None
    status: Literal["draft", "published"] | None
    published_at: datetime | None
    contents: list[ContentBody]


class TemplatePage(Struct):
    results: list[TemplateSummary]
    next: str | None


class PreviewBody(Struct, forbid_unknown_fields=True):
    """`variables` absent: a sample of the template's types. `version` absent: the draft, or else what is published."""

    channel: Channel
    locale: Locale | None = None
    variables: dict[str, Any] | None = None
    user_id: str | None = None
    version: int | None = None


class PreviewAnswer(Struct):
    channel: str
    locale: str
    version: int
    parts: dict[str, str]


class SourceBody(Struct, forbid_unknown_fields=True):
    """`channel` says how variables are escaped (e-mail as HTML, webhook as JSON, else not at all); `templates` are
    what {% include %} and {% render %} find; `strict` false renders a missing variable as nothing."""

    source: Source
    variables: dict[str, Any] | None = None
    channel: Channel | None = None
    strict: bool | None = None
    templates: dict[str, Source] | None = None


class SourceAnswer(Struct):
    output: str


class TypeBody(Struct, forbid_unknown_fields=True):
    """Absent and null mean the default. `schema`: JSON Schema of payload.template_variables, with `examples`."""

    category: str
    name: Name | None = None
    template: str | None = None
    schema: dict[str, Any] | None = None
    priority: Literal["LOW", "MEDIUM", "HIGH"] | None = None
    expires_after: Duration | None = None


class TypeAnswer(Struct):
    key: str
    name: str
    category: str
    template: str | None
    schema: dict[str, Any] | None
    priority: str
    expires_after: str | None


class TypePage(Struct):
    results: list[TypeAnswer]
    next: str | None
