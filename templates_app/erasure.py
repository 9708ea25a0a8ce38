"""What an erasure does to the tables of templates: they say nothing of people, but who wrote them."""

from preferences.erasure import Leaving
from templates_app.models import TemplateVersion

FATES = {
    "templates_app.Template": "Says nothing of people.",
    "templates_app.Type": "Says nothing of people.",
    TemplateVersion._meta.label: "Who wrote or published it is called by the pseudonym.",
    "templates_app.Content": "Says nothing of people.",
}


def erase(leaving: Leaving) -> None:
    """Call the person, who was on the staff once, by the pseudonym."""
    for name in ("author", "published_by"):
        mine = TemplateVersion.objects.filter(**{name: f"staff:{leaving.user_id}"})
        mine.update(**{name: f"staff:{leaving.pseudonym}"})
