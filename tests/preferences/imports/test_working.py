"""Imports as work: stopped, killed, raced and kept for a while."""

import threading
import time
import tracemalloc
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections

from preferences.imports import acts, keeping, reading, tallies, working
from preferences.imports.acts import WrongState
from preferences.models import Import, ImportChunk, ImportFault, User
from project.foundation import clock, ids
from tests.preferences.imports.files import ACTOR, bring_in, check, faults, upload, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(reading, "SIZE", 10)
    monkeypatch.setattr(working, "SLICE_SECONDS", 0.0)  # one batch at a time


def people(count, start=0):
    return "user_id,name\n" + "".join(f"u{n},Name {n}\n" for n in range(start, start + count))


def test_batches_are_counted_together(small_batches):
    job = bring_in(people(35) + "a/b,x\n" + people(5, start=100).partition("\n")[2])

    assert job.counts == {"rows": 41, "new": 40, "faulty": 1, "faults": 1}
    assert faults(job) == [(37, "user_id", "invalid_user_id")]
    assert User.objects.count() == 40


def test_files_take_turns(small_batches):
    first, second = upload(people(35)), upload(people(35, start=100))

    working.advance_due()
    working.advance_due()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.counts["rows"], second.counts["rows"]) == (10, 10)


def test_an_import_that_is_stopped_keeps_what_is_in_and_reads_no_further(small_batches):
    job = check(people(35))
    acts.start(job, actor=ACTOR)
    working.advance_due()

    acts.stop(job, actor=ACTOR)

    work(job)
    assert (job.status, job.counts["rows"], User.objects.count()) == ("stopped", 10, 10)
    assert not ImportChunk.objects.exists()
    with pytest.raises(WrongState):
        acts.start(job, actor=ACTOR)
    with pytest.raises(WrongState):
        acts.stop(job, actor=ACTOR)


def test_a_stop_in_the_middle_of_a_batch_holds(small_batches, monkeypatch):
    job = check(people(35))
    acts.start(job, actor=ACTOR)
    original = reading.Reader.next_batch

    def read_and_be_stopped(self):
        batch = original(self)
        acts.stop(job, actor=ACTOR)
        return batch

    monkeypatch.setattr(reading.Reader, "next_batch", read_and_be_stopped)
    working.advance_due()

    job.refresh_from_db()
    assert (job.status, User.objects.count()) == ("stopped", 0)


def test_a_file_that_is_stopped_just_before_it_is_read_stays_stopped(monkeypatch):
    job = upload(people(35))
    original = working._claim

    def claim_and_be_stopped():
        claimed = original()
        acts.stop(job, actor=ACTOR)
        return claimed

    monkeypatch.setattr(working, "_claim", claim_and_be_stopped)
    working.advance_due()

    job.refresh_from_db()
    assert (job.status, job.problem) == ("stopped", "")


def test_a_worker_that_dies_in_a_batch_leaves_it_whole_to_another(small_batches, monkeypatch):
    job = check(people(35))
    acts.start(job, actor=ACTOR)
    working.advance_due()
    original = tallies.add

    def die(*arguments):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(tallies, "add", die)
    assert not working.advance_due()
    monkeypatch.setattr(tallies, "add", original)

    assert User.objects.count() == 10  # nothing of the batch, and not twice what came before it
    assert not working.advance_due()  # its lease holds
    Import.objects.update(leased_until=clock.now() - timedelta(seconds=1))
    assert work(job).counts == {"rows": 35, "new": 35, "faulty": 0, "faults": 0}


def test_whoever_lost_the_lease_writes_nothing(small_batches, monkeypatch):
    job = check(people(35))
    acts.start(job, actor=ACTOR)
    real_next = reading.Reader.next_batch

    def read_and_lose(self):
        batch = real_next(self)
        Import.objects.filter(pk=job.pk).update(lease=ids.new_id())
        return batch

    monkeypatch.setattr(reading.Reader, "next_batch", read_and_lose)
    working.advance_due()

    assert User.objects.count() == 0


def test_an_unexpected_fault_ends_the_import_in_words_and_not_the_sweep(small_batches, monkeypatch, caplog):
    job = check(people(35))
    acts.start(job, actor=ACTOR)
    working.advance_due()

    def fail(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(tallies, "add", fail)
    assert working.advance_due()
    monkeypatch.undo()

    job = work(job)
    assert (job.status, User.objects.count()) == ("stopped", 10)
    assert "after line 12" in job.problem
    assert "import.failed" in caplog.text


def test_when_nothing_is_due_a_look_is_all_it_costs(django_assert_max_num_queries):
    check(people(3))

    with django_assert_max_num_queries(2):  # the clock on PostgreSQL, and what is due
        assert not working.advance_due()


def test_a_batch_costs_the_same_number_of_queries_however_large_it_is(django_assert_max_num_queries):
    header = "user_id,name,email,phone,attributes.plan\n"
    rows = "".join(f"u{n},Name,{n}@example.com,+4930{n:07},pro\n" for n in range(999))
    job = check(header + rows)
    acts.start(job, actor=ACTOR)

    # SQLite stores in parts: it limits the parameters of a statement.
    with django_assert_max_num_queries(32 if connection.vendor == "postgresql" else 90):
        working.advance_due()

    assert work(job).counts["new"] == 999


def test_of_a_file_in_which_all_is_wrong_so_much_is_told_and_the_rest_counted(monkeypatch):
    monkeypatch.setattr(tallies, "MOST_FAULTS", 50)

    job = check("user_id,email\n" + "a/b,nobody\n" * 1500)

    assert job.counts == {"rows": 1500, "faulty": 1500, "faults": 3000}
    assert job.faults.count() == 50


def test_files_nobody_imports_and_reports_nobody_needs_are_forgotten(settings):
    waiting, done = check(people(3)), bring_in(people(3))
    running = check(people(3))
    acts.start(running, actor=ACTOR)

    keeping.forget_before(clock.now() + settings.IMPORT_FILE_LIFE + timedelta(minutes=1))

    waiting.refresh_from_db()
    assert waiting.status == "stopped" and "in time" in waiting.problem
    assert set(ImportChunk.objects.values_list("of", flat=True)) == {running.pk}
    keeping.forget_before(clock.now() + timedelta(days=settings.IMPORT_DAYS, minutes=1))
    assert list(Import.objects.all()) == [running]
    assert done.pk not in Import.objects.values_list("pk", flat=True)


@pytest.mark.slow
def test_a_file_of_any_length_takes_the_same_memory():
    """5,000 rows and 50,000 rows, both checked: what is held at the most differs by less than a piece of the file."""
    few, many = (_peak_of_checking(rows) for rows in (5_000, 50_000))

    assert many < few + 2_000_000, (few, many)


def _peak_of_checking(rows: int) -> int:
    job, intake = keeping.begin(kind="people", file_name="", clears=False, actor=ACTOR)
    intake.write(b"user_id,name,attributes.plan\n")
    for start in range(0, rows, 1000):
        intake.write("".join(f"u{n},Name of {n},pro\n" for n in range(start, start + 1000)).encode())
    acts.uploaded(job, intake.close(), ip="")
    tracemalloc.start()
    work(job)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert job.counts["new"] == rows
    return peak


@pytest.mark.django_db(transaction=True)
def test_many_workers_bring_in_each_row_once(small_batches):
    job = check(people(300))
    acts.start(job, actor=ACTOR)
    barrier, failed = threading.Barrier(4), []

    def call() -> None:
        try:
            barrier.wait()
            end = time.monotonic() + 60
            while time.monotonic() < end and Import.objects.filter(status="running").exists():
                working.advance_due()
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    job.refresh_from_db()
    assert not failed
    assert (job.status, job.counts) == ("completed", {"rows": 300, "new": 300, "faulty": 0, "faults": 0})
    assert not ImportFault.objects.exists()
