"""The bulk lane, and each channel's providers, among the processes of one worker."""

import os
import signal
import subprocess
import sys

from notifications import lanes

HOLDER = """
import os, sys, time
from notifications import lanes
permit = (lambda: lanes.channel("sms")) if sys.argv[2] == "sms" else lanes.bulk
lanes.share_among(int(sys.argv[1]))
children = []
for _ in range(int(sys.argv[1])):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with permit() as permitted:
            os.write(writing, b"1" if permitted else b"0")
            time.sleep(60)
    children.append(child)
    print(child, os.read(reading, 1).decode(), flush=True)
for killed in sys.stdin.readline().split():
    os.waitpid(int(killed), 0)
    children.remove(int(killed))
child = os.fork()
if child == 0:
    with permit() as permitted:
        print("again", int(permitted), flush=True)
    os._exit(0)
os.waitpid(child, 0)
for child in children:
    try:
        os.kill(child, 9)
    except ProcessLookupError:
        pass
"""


def hold(processes: int, kind: str = "bulk") -> tuple["subprocess.Popen[str]", list[list[str]]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(processes), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    return parent, [parent.stdout.readline().split() for _ in range(processes)]


def test_one_process_of_each_worker_stays_free_of_bulk():
    parent, children = hold(3)
    after, _ = parent.communicate("\n")

    assert [permitted for _, permitted in children] == ["1", "1", "0"]
    assert after.split() == ["again", "0"]


def test_one_process_of_each_worker_stays_free_of_a_channel_whose_provider_may_hang():
    parent, children = hold(3, "sms")
    parent.communicate("\n")

    assert [permitted for _, permitted in children] == ["1", "1", "0"]


def test_channels_and_bulk_have_permits_of_their_own_and_a_thread_takes_each_once():
    with lanes.channel("sms") as texts, lanes.channel("email") as mails, lanes.bulk() as bulk:
        assert (texts, mails, bulk) == (True, True, True)
        with lanes.channel("sms") as again:
            assert not again


def test_the_permit_of_a_killed_process_is_free_at_once():
    parent, children = hold(2)
    pids = [pid for pid, _ in children]
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    after, _ = parent.communicate(" ".join(pids) + "\n")  # it waits for their end: a kill is not done when it returns

    assert [permitted for _, permitted in children] == ["1", "0"]
    assert after.split() == ["again", "1"]


def test_a_worker_of_one_process_does_bulk_too():
    parent, children = hold(1)
    parent.communicate("\n")

    assert [permitted for _, permitted in children] == ["1"]
