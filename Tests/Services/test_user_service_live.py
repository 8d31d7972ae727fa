# SPDX-License-Identifier: Apache-2.0
"""Watchers and chats of user-service: live, late, slow, and across replicas on one file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

import grpc
import pytest
from google.rpc import error_details_pb2
from user.v1 import user_pb2

from peers.users import cancelling, creation, details, failing, name, reason, until

StatusCode = grpc.StatusCode
CREATED, UPDATED, DELETED = (user_pb2.UserEvent.Type.Value(kind) for kind in ("CREATED", "UPDATED", "DELETED"))


@pytest.fixture(scope="module")
def replicas(user_service, tmp_path_factory):
    """Clients of three servers on one file."""
    database = tmp_path_factory.mktemp("replicas") / "users.db"
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(user_service(f"--database={database}", f"--instance=replica-{number}"))
            for number in range(3)
        ]
        yield [stack.enter_context(server.client()) for server in servers]


def test_a_watcher_hears_every_change(client):
    with cancelling(client.watch()) as watch:
        made = client.create()
        client.users.UpdateUser(user_pb2.UpdateUserRequest(user=user_pb2.User(id=made.id, name="New")), timeout=10)
        client.users.DeleteUser(user_pb2.DeleteUserRequest(user_id=made.id), timeout=10)
        events = [next(watch) for _ in range(3)]
    assert [event.type for event in events] == [CREATED, UPDATED, DELETED]
    assert [event.user.name for event in events] == [made.name, "New", "New"]
    assert events[0].sequence < events[1].sequence < events[2].sequence
    assert events[0].user == made and events[0].time.seconds > 0


def test_a_watcher_that_comes_back_misses_nothing(client):
    with cancelling(client.watch()) as watch:
        client.create()
        known = next(watch).sequence
    missed = [client.create().id for _ in range(20)]
    with cancelling(client.watch(after=known)) as watch:
        assert [next(watch).user.id for _ in missed] == missed
        live = client.create()
        assert next(watch).user.id == live.id


def test_a_watcher_of_a_sequence_that_cannot_be(client):
    with failing(StatusCode.OUT_OF_RANGE) as errors:
        next(client.watch(after=1 << 60))
    assert reason(errors[0]) == "NO_SUCH_EVENT"
    with failing(StatusCode.INVALID_ARGUMENT) as errors:
        next(client.watch(after=-1))
    assert errors[0].details() == "after_sequence is not negative"


def test_events_are_kept_for_a_time(user_service, tmp_path):
    database = tmp_path / "users.db"
    with user_service(f"--database={database}", "--event-retention=500ms") as server, server.client() as client:
        with cancelling(client.watch()) as watch:
            made = [client.create() for _ in range(3)]
            first = [next(watch) for _ in made][0].sequence

        def kept() -> int:
            with contextlib.closing(sqlite3.connect(database)) as connection:
                return connection.execute("SELECT count(*) FROM outbox").fetchone()[0]

        until(lambda: kept() == 0)
    # A later server has them not in its memory either.
    with user_service(f"--database={database}") as server, server.client() as client:
        with failing(StatusCode.OUT_OF_RANGE) as errors:
            next(client.watch(after=first))
        assert reason(errors[0]) == "EVENTS_PRUNED"
        oldest = int(details(errors[0])[error_details_pb2.ErrorInfo].metadata["oldest_sequence"])
        assert oldest > first
        with cancelling(client.watch(after=oldest - 1)) as watch:
            assert client.create().id == next(watch).user.id


def test_a_slow_watcher_hears_everything_and_costs_no_memory(user_service):
    with user_service("--stall-timeout=60s") as server, server.client() as writer:
        for _ in range(3):
            writer.users.CreateUsers((creation() for _ in range(100)), timeout=30)
        before = server.memory()
        slow = [server.client(http2_lookahead_bytes=1_024) for _ in range(20)]
        watches = [client.watch() for client in slow]
        count = 5_000
        rows = (creation(legacy_field="x" * 900) for _ in range(count // 2))
        first = [user.id for user in writer.users.CreateUsers(rows, timeout=60).users]
        rows = (creation(legacy_field="x" * 900) for _ in range(count // 2))
        second = [user.id for user in writer.users.CreateUsers(rows, timeout=60).users]
        # 100 MB of events are on their way, and each of the watchers has read nothing.
        assert server.memory() - before < 60 << 20
        assert [next(watches[7]).user.id for _ in range(count)] == first + second
        for client in slow:
            client.channel.close()


def test_a_slow_reader_of_an_export_costs_no_memory(user_service):
    with user_service() as server, server.client() as writer:
        for _ in range(4):
            rows = (creation(legacy_field="x" * 1_000) for _ in range(2_500))
            assert writer.users.CreateUsers(rows, timeout=60).success_count == 2_500
        before = server.memory()
        clients = [server.client(http2_lookahead_bytes=1_024) for _ in range(20)]
        exports = [client.export() for client in clients]
        for export in exports:
            next(export)
        assert server.active("StreamUsers") == 20
        # 20 times 12 MB are wanted.
        assert server.memory() - before < 40 << 20
        assert sum(1 for _ in exports[3]) == 9_999
        for client in clients:
            client.channel.close()


def test_a_room(client):
    room, other = name(), name()
    ada = client.chat(room, "Ada")
    bob = client.chat(room, "Bob", "Hello, I am Bob.")
    eve = client.chat(other, "Eve")
    assert ada.hear() == bob.hear() == ("Bob", "Hello, I am Bob.")
    ada.say("Hello, Bob.")
    ada.say("How are you?")
    expected = [("Ada", "Hello, Bob."), ("Ada", "How are you?")]
    assert [ada.hear(), ada.hear()] == [bob.hear(), bob.hear()] == expected
    ada.leave()
    assert list(ada.call) == [] and ada.call.code() == StatusCode.OK
    bob.say("She is gone.")
    assert bob.hear() == ("Bob", "She is gone.")
    eve.leave()
    assert list(eve.call) == []


def test_a_message_without_staying(client):
    """Who says something and leaves hears it himself first: it was kept then."""
    said = [user_pb2.ChatMessage(room=name(), sender="Ada", text="One."), user_pb2.ChatMessage(text="Two.")]
    heard = list(client.users.Chat(iter(said), timeout=10))
    assert [message.text for message in heard] == ["One.", "Two."]
    assert all(message.sent_at.seconds > 0 for message in heard)
    assert list(client.users.Chat(iter([]), timeout=10)) == []


def test_a_message_that_cannot_be(client):
    def refusal(*messages: dict) -> list[str]:
        with failing(StatusCode.INVALID_ARGUMENT) as errors:
            list(client.users.Chat(iter([user_pb2.ChatMessage(**message) for message in messages]), timeout=10))
        violations = details(errors[0])[error_details_pb2.BadRequest].field_violations
        return [violation.field for violation in violations]

    first = {"room": name(), "sender": "Ada"}
    assert refusal({}) == ["room", "sender"]
    assert refusal({**first, "text": "x" * 5_000}) == ["text"]
    assert refusal(first, {}) == ["text"]
    assert refusal(first, {"room": "other", "sender": "Bob", "text": "x"}) == ["room", "sender"]


def test_watching_across_replicas(replicas):
    watches = [replica.watch() for replica in replicas]
    made = {replica.create().id for replica in replicas for _ in range(5)}
    for watch in watches:
        events = [next(watch) for _ in made]
        assert {event.user.id for event in events} == made
        sequences = [event.sequence for event in events]
        assert sequences == sorted(set(sequences))
        watch.cancel()


def test_chatting_across_replicas(replicas):
    room = name()
    people = [replica.chat(room, f"on {number}") for number, replica in enumerate(replicas)]
    for number, person in enumerate(people):
        person.say(f"from {number}")
    heard = [[person.hear() for _ in people] for person in people]
    assert heard[0] == heard[1] == heard[2], "everybody hears the same order"
    assert sorted(heard[0]) == [(f"on {number}", f"from {number}") for number in range(3)]
    for person in people:
        person.leave()


def test_paging_across_replicas_while_others_write(replicas):
    stop = threading.Event()

    def write():
        while not stop.is_set():
            replicas[1].users.DeleteUser(user_pb2.DeleteUserRequest(user_id=replicas[2].create().id), timeout=20)

    stayed = [replicas[0].create(name="Stayed").id for _ in range(30)]
    writer = threading.Thread(target=write)
    writer.start()
    try:
        request, turned = user_pb2.ListUsersRequest(page_size=7), []
        for number in range(1_000):
            # Each page from another replica than the one before.
            answer, call = replicas[number % 3].users.ListUsers.with_call(request, timeout=20)
            assert dict(call.initial_metadata())["x-served-by"] == f"replica-{number % 3}"
            turned += [user.id for user in answer.users]
            request.page_token = answer.next_page_token
            if not request.page_token:
                break
    finally:
        stop.set()
        writer.join()
    assert len(turned) == len(set(turned))
    assert [user for user in turned if user in set(stayed)] == stayed


def test_watchers_and_chats_end_when_the_server_does(user_service):
    with user_service("--shutdown-grace=20s") as server, server.client() as client:
        watch, chat = client.watch(), client.chat("hall", "Ada")
        assert server.stop() == 0
        for call in (watch, chat.call):
            with failing(StatusCode.UNAVAILABLE) as errors:
                next(call)
            assert errors[0].details() == "the server is shutting down"
        chat.leave()
