from django.db import models

from project.foundation.encryption import EncryptedTextField
from project.foundation.ids import new_id


class AttachmentContent(models.Model):
    """A file that came with a request. What it is called and its type lie in the notification's payload."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification_id = models.UUIDField(db_index=True)
    content = EncryptedTextField()  # base64, as it came
    keep_until = models.DateTimeField(db_index=True)  # deleted after that, once its notification is over

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.id)
