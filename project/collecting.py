"""How often Python looks for garbage that refers to itself: seldom, in processes that live long and work in batches."""

import gc

# New objects between two looks. Batches of hundreds of rows make tens of thousands that are let go by themselves, and
# Python's own 700 cost a worker a fifth of its processor time for nothing found.
_BETWEEN_LOOKS = 20_000


def keep_what_is_loaded() -> None:
    """Never look again at what is loaded by now, which stays; seldom at what comes.

    Pages that are not looked at are never copied into children either: call it before they are forked.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BETWEEN_LOOKS, 10, 10)
