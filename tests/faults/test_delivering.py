"""Workers that die, hang or are cut off while they send."""

from tests.faults import ledger
from tests.faults.ledger import Book
from tests.faults.load import send
from tests.faults.stack import Stack


def test_everything_accepted_arrives_once_when_nothing_breaks(stack: Stack, book: Book) -> None:
    web = stack.web()
    stack.worker()
    with stack.client(web) as client:
        for number in range(30):
            send(client, book, f"m{number}", number)

    stack.until(lambda: len(stack.mail.taken) >= 30, "all mails arrive")
    stack.until_idle()

    ledger.assert_equal(book, stack, repeats=0)
