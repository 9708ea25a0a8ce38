from django.db import models


class Client(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Key(models.Model):
    prefix = models.CharField(max_length=8, unique=True)
    secret_hash = models.CharField(max_length=64)
    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.prefix


class Message(models.Model):
    user_id = models.CharField(max_length=255, db_index=True)
    type = models.CharField(max_length=100)
    priority = models.CharField(max_length=10, default="MEDIUM")
    title = models.CharField(max_length=500, default="")
    body = models.TextField(default="")
    link = models.CharField(max_length=2048, default="")
    template_variables = models.JSONField(default=dict)
    channels = models.JSONField(null=True)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, null=True)
    status = models.CharField(max_length=12, default="accepted")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"
