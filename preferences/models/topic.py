from django.conf import settings
from django.db import models


class Topic(models.Model):
    """A list that people join, under the caller's own key."""

    key = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TopicSubscription(models.Model):
    """One person on one topic."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="subscriptions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="topic_subscriptions")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["topic", "user"], name="one_subscription_per_topic_and_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.topic_id}"
