from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from project.foundation.encryption import EncryptedJSONField, EncryptedTextField


class Users(BaseUserManager["User"]):
    def create_user(self, user_id: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(user_id=user_id, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, user_id: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(user_id, password, **fields | {"is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A person who is told things. Staff are users too, with `is_staff`."""

    user_id = models.CharField(max_length=255, unique=True)  # the caller's own string
    name = EncryptedTextField(default="", blank=True)
    locale = models.CharField(max_length=35, default="", blank=True)  # BCP 47; "" = the installation's default
    timezone = models.CharField(max_length=64, default="", blank=True)  # IANA; "" = the installation's default
    attributes = EncryptedJSONField(default=dict, blank=True)
    filterable = models.JSONField(default=dict, blank=True)  # the attributes of FILTERABLE_ATTRIBUTES, in clear
    # When and how often they are told things, as preferences.timing checks it; empty = no wish.
    quiet_hours = models.JSONField(
        default=dict, db_default={}, blank=True
    )  # {"timezone", "weekly": [{"days", "from", "until"}]}
    frequency_caps = models.JSONField(
        default=list, db_default=[], blank=True
    )  # [{"channel", "category", "max", "per"}]
    channel_priority = models.JSONField(default=list, db_default=[], blank=True)  # ["push", "email"]
    digests = models.JSONField(default=dict, db_default={}, blank=True)  # {category's key: "daily"}
    digest_at = models.CharField(max_length=5, default="", db_default="", blank=True)  # "18:30", local; "" = DIGEST_AT
    link_generation = models.PositiveIntegerField(default=0, db_default=0)  # settings links of earlier ones are dead
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = Users()

    USERNAME_FIELD = "user_id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        permissions = [
            ("export_user", "Can download everything about a person"),
            ("erase_user", "Can erase a person"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(user_id=""), name="user_has_a_user_id"),
        ]

    def __str__(self) -> str:
        return self.user_id

    def get_full_name(self) -> str:
        return self.name or self.user_id

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.user_id
