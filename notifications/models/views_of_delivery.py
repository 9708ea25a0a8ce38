from notifications.models.delivery import Delivery


class DeadLetter(Delivery):
    """A delivery given up on, as the admin lists it."""

    class Meta:
        proxy = True
        ordering = ["-id"]


class UnknownDelivery(Delivery):
    """A delivery whose provider was called and never answered, held back until somebody resolves it."""

    class Meta:
        proxy = True
        ordering = ["-id"]
        verbose_name = "unknown outcome"
