"""How provider accounts fare, for people: a word for each, and what needs somebody."""

from dataclasses import dataclass

from notifications import account_states, breaker, holding
from notifications.breaker import Phase
from notifications.models import AccountState, ProviderAccount
from project.foundation import clock


@dataclass(frozen=True)
class Standing:
    state: str  # in_use, paused, refused, failing or throttled
    error: str = ""


@dataclass(frozen=True)
class Trouble:
    """One sentence for the operator, about one account or about a channel."""

    text: str
    account_id: int


def standing(account: ProviderAccount) -> Standing:
    """Return how an account fares now."""
    state: AccountState | None = getattr(account, "state", None)
    if not account.enabled:
        return Standing("paused")
    if state is None:
        return Standing("in_use")
    if state.refused_at is not None:
        return Standing("refused", state.refusal)
    now = clock.now()
    if breaker.phase(account_states.breaker_of(state), now) is not Phase.CLOSED:
        return Standing("failing")
    if state.throttled_until is not None and state.throttled_until > now:
        return Standing("throttled")
    return Standing("in_use")


def troubles() -> list[Trouble]:
    """Return what an operator must see to, one sentence an account. One query while all is well."""
    found = []
    for account in ProviderAccount.objects.select_related("state").order_by("channel", "order", "name"):
        now = standing(account)
        if now.state == "refused":
            held = holding.count([account.channel])
            found.append(Trouble(f"{account.name} is refused: {now.error} {_held(held)}".strip(), account.pk))
        elif now.state == "paused" and (held := holding.count([account.channel])):
            found.append(Trouble(f"{account.name} is switched off. {_held(held)}", account.pk))
        elif now.state == "failing":
            found.append(Trouble(f"{account.name} keeps failing: it is tried again every 30 seconds.", account.pk))
    return found


def _held(count: int) -> str:
    if count == 0:
        return "Nothing is held."
    return "One delivery is held." if count == 1 else f"{count} deliveries are held."
