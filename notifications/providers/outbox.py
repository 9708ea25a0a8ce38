"""The outbox: sends nothing and accepts everything but what simulator addresses are to be refused.

What would have been sent is kept by notifications.outbox.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from notifications import simulators
from notifications.providers.base import Message, Outcome, Provider
from preferences.channels import CHANNELS


class Outbox(Provider):
    key = "outbox"
    channels = tuple(CHANNELS)
    keeps_messages = True

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        now = datetime.now(tz=UTC)
        return [simulators.outcome(message, now) for message in messages]
