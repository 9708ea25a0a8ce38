from django.db import models

from notifications.models.notification import Mode


class Caller(models.Model):
    """A service that owns API keys. Its keys rotate; the caller stays."""

    key = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """`crl_<mode>_<id>_<secret>`. The secret has 256 bits, so its SHA-256 needs no salt and no slow hash."""

    id = models.CharField(max_length=8, primary_key=True)
    caller = models.ForeignKey(Caller, on_delete=models.CASCADE, related_name="keys")
    mode = models.CharField(max_length=4, choices=Mode)
    name = models.CharField(max_length=200, default="", blank=True)
    secret_hash = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list)
    rate_limit = models.CharField(max_length=20, default="", blank=True)  # "100/s", "1000/m"; "" = unlimited
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=models.Q(mode__in=["live", "test"]), name="key_mode_is_known")]

    def __str__(self) -> str:
        return f"crl_{self.mode}_{self.id}_…"
