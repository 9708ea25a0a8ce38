from django.db import models


class RetentionMark(models.Model):
    """How far something was emptied that is not deleted: all rows before `reached`, but for those still under way."""

    name = models.CharField(max_length=40, primary_key=True)
    reached = models.UUIDField()
    left = models.JSONField(default=list)  # ids of rows that were under way when they were passed

    def __str__(self) -> str:
        return self.name
