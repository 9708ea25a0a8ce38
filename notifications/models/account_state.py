from django.db import models


class AccountState(models.Model):
    """How a provider account fares, shared by all processes. Written by notifications.account_states under its lock."""

    # Without a constraint: a worker may still write for an account that was deleted a moment ago.
    account = models.OneToOneField(
        "notifications.ProviderAccount",
        on_delete=models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="state",
    )

    # The circuit breaker: see notifications.breaker.
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    recent = models.CharField(max_length=20, default="", blank=True)  # one letter an outcome, newest last: + or -
    opened_at = models.DateTimeField(null=True, blank=True)  # null: closed
    probe_until = models.DateTimeField(null=True, blank=True)  # somebody is trying whether it works again

    throttled_until = models.DateTimeField(null=True, blank=True)  # the provider asked for this
    tokens = models.FloatField(default=0)  # of the rate limit: see notifications.rate_limits
    tokens_at = models.DateTimeField(null=True, blank=True)  # null: full

    refused_at = models.DateTimeField(null=True, blank=True)  # the provider refuses the account: an operator must act
    refusal = models.CharField(max_length=500, default="", blank=True)  # in words, without credentials

    # The latest failure that is the account's own, whatever came after it.
    last_error = models.CharField(max_length=500, default="", db_default="", blank=True)  # without credentials
    last_error_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"state of account {self.account_id}"
