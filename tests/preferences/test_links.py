"""Signed links: whose they are, how long they live, and what ends them."""

from datetime import timedelta

from django.core import signing

from preferences import links
from preferences.models import PreferenceLink, User
from project.foundation import clock


def token_of(url):
    return url.rstrip("/").rpartition("/")[2]


def mailed(user):
    return token_of(links.settings_url(user.pk, user.link_generation))


def minted(user, **life):
    link = PreferenceLink.objects.create(
        user=user, expires_at=clock.now() + timedelta(**life or {"hours": 1}), made_by="x"
    )
    return token_of(links.minted_url(link))


def test_a_link_opens_the_settings_of_its_owner_and_of_nobody_else(ada, bob):
    assert links.owner(mailed(ada)) == ada
    assert links.owner(minted(bob)) == bob


def test_links_are_signed_as_django_signs(ada, offers):
    token = token_of(links.unsubscribe_url(ada.pk, offers.pk, "email", ada.link_generation))

    signer = signing.Signer(salt="preferences.unsubscribe", sep=".")
    assert token == signer.sign(f"{ada.pk}-{offers.pk}-email-0")


def test_a_forged_or_mixed_up_link_opens_nothing(ada, bob, offers):
    token = mailed(ada)
    stop = token_of(links.unsubscribe_url(ada.pk, offers.pk, "email", ada.link_generation))

    for wrong in ("", "m", "x", token[:-1] + "A", token.replace(str(ada.pk), str(bob.pk), 1), stop, "m" + token):
        assert links.owner(wrong) is None
    assert links.stop(token) is None


def test_revoking_ends_mailed_and_minted_links_but_no_unsubscribe_link(ada, offers):
    old = [mailed(ada), minted(ada)]
    stop = token_of(links.unsubscribe_url(ada.pk, offers.pk, "email", ada.link_generation))

    links.revoke_all(ada)

    assert [links.owner(token) for token in old] == [None, None]
    ada.refresh_from_db()
    assert links.owner(mailed(ada)) == ada
    assert links.stop(stop).user == ada


def test_a_minted_link_expires(ada):
    assert links.owner(minted(ada, seconds=-1)) is None


def test_links_outlive_a_change_of_the_secret_key(ada, offers, settings):
    old = settings.SECRET_KEY
    tokens = mailed(ada), token_of(links.unsubscribe_url(ada.pk, offers.pk, "sms", ada.link_generation))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, as long as it must be, and secret", [old]

    assert links.owner(tokens[0]) == ada
    assert (links.stop(tokens[1]).category, links.stop(tokens[1]).channel) == (offers, "sms")

    settings.SECRET_KEY_FALLBACKS = []
    assert links.owner(tokens[0]) is None


def test_staff_and_the_erased_have_no_settings_links(ada, bob):
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    User.objects.filter(pk=bob.pk).update(erased_at=clock.now())

    assert links.owner(mailed(ada)) is None
    assert links.owner(mailed(bob)) is None
