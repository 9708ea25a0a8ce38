from django.db import models


class Template(models.Model):
    """A text under a key. What it says stands in its versions; `published` is the one that sends use."""

    key = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    published = models.ForeignKey(
        "templates_app.TemplateVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
