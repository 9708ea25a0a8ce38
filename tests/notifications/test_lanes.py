"""The bulk lane among the processes of one worker."""

import os
import signal
import subprocess
import sys

HOLDER = """
import os, sys, time
from notifications import lanes
lanes.share_among(int(sys.argv[1]))
children = []
for _ in range(int(sys.argv[1])):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with lanes.bulk() as permitted:
            os.write(writing, b"1" if permitted else b"0")
            time.sleep(60)
    children.append(child)
    print(child, os.read(reading, 1).decode(), flush=True)
for killed in sys.stdin.readline().split():
    os.waitpid(int(killed), 0)
    children.remove(int(killed))
child = os.fork()
if child == 0:
    with lanes.bulk() as permitted:
        print("again", int(permitted), flush=True)
    os._exit(0)
os.waitpid(child, 0)
for child in children:
    try:
        os.kill(child, 9)
    except ProcessLookupError:
        pass
"""


def hold(processes: int) -> tuple["subprocess.Popen[str]", list[list[str]]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(processes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    return parent, [parent.stdout.readline().split() for _ in range(processes)]


def test_one_process_of_each_worker_stays_free_of_bulk():
    parent, children = hold(3)
    after, _ = parent.communicate("\n")

    assert [permitted for _, permitted in children] == ["1", "1", "0"]
    assert after.split() == ["again", "0"]


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
