import pytest

from preferences import contact_points
from preferences.models import ConsentRecord, Suppression, User
from tests.preferences.imports.files import bring_in, check, faults

pytestmark = pytest.mark.django_db
FILE = """channel;address;reason
email;Ada@Example.com;bounce
SMS;+49 30 12345678;
email;ada@example.com;complaint
"""


def suppressed():
    return sorted(Suppression.objects.values_list("channel", "reason", "source", "actor"))


def test_a_list_of_addresses_is_blocked_and_their_owners_ledgers_say_so():
    owner = User.objects.create_user("ada")
    contact_points.add(owner, channel="sms", address="+493012345678")

    job = bring_in(FILE, kind="suppressions")

    assert job.counts == {"rows": 3, "new": 2, "unchanged": 1, "faulty": 0, "faults": 0}
    assert [row[0] for row in suppressed()] == ["email", "sms"]
    assert {row[2:] for row in suppressed()} == {("import", "staff:grace")}
    line = ConsentRecord.objects.get()
    assert (line.user, line.subject, line.new, line.source) == (owner, "suppression:sms", "operator", "import")


def test_it_is_checked_first_and_nothing_is_written():
    job = check(FILE, kind="suppressions")

    assert job.counts == {"rows": 3, "new": 2, "unchanged": 1, "faulty": 0, "faults": 0}
    assert not Suppression.objects.exists()


def test_the_same_list_again_changes_nothing():
    bring_in(FILE, kind="suppressions")
    before = suppressed()

    assert bring_in(FILE, kind="suppressions").counts["unchanged"] == 3
    assert suppressed() == before


def test_what_cannot_be_blocked_is_named():
    text = "channel,address,reason\nfax,1,\nemail,nobody,angry\nin_app,x,\nemail,ada@example.com,erased\n"

    job = check(text, kind="suppressions")

    assert faults(job) == [
        (2, "channel", "invalid_value"),
        (3, "address", "invalid_address"),
        (3, "reason", "invalid_value"),
        (4, "channel", "invalid_value"),
        (5, "reason", "invalid_value"),
    ]
