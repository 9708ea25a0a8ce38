"""What a mail client can do at all: ready bytes, two processes of four connections, commands pipelined (RFC 2920).

No people, no templates, no history. The end of a mail and the next one's commands leave in one write, so a mail costs
one round trip; its content waits for the 354, as the standard wants.
"""

import multiprocessing
import selectors
import socket
import sys
from collections.abc import Iterator

PROCESSES, CONNECTIONS = 2, 4
CONTENT = (
    b"From: Shop <hello@example.com>\r\nSubject: Three things are new\r\nMIME-Version: 1.0\r\n\r\n"
    + b"We look forward to your visit. What you see here is held back for you.\r\n" * 30
)


class Connection:
    def __init__(self, port: int, numbers: Iterator[int]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.numbers = numbers
        self.answers = self.socket.makefile("rb")
        self.answers.readline()
        self.say(b"EHLO raw\r\n")
        while self.answers.readline()[3:4] == b"-":
            pass
        self.read = b""
        self.going = self.next(b"")

    def next(self, before: bytes) -> bool:
        """End one mail and begin the next, in one write; False when there is none."""
        number = next(self.numbers, None)
        if number is None:
            self.say(before)
            return False
        self.say(before + b"MAIL FROM:<hello@example.com>\r\nRCPT TO:<p%d@example.com>\r\nDATA\r\n" % number)
        return True

    def hear(self) -> bool:
        """Go on after what the server says; False when all is said."""
        self.read += self.socket.recv(65536)
        if b"\r\n354" in b"\r\n" + self.read and self.read.endswith(b"\r\n"):
            self.read = b""
            self.going = self.next(CONTENT + b".\r\n")
            return True
        return self.going or not self.read.endswith(b"\r\n")

    def say(self, text: bytes) -> None:
        self.socket.sendall(text)


def send(port: int, numbers: range, ready: "multiprocessing.synchronize.Barrier") -> None:
    ready.wait()
    waiting = iter(numbers)
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            connection = Connection(port, waiting)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for key, _ in selector.select():
                if not key.data.hear():
                    selector.unregister(key.fileobj)
                    key.data.socket.close()


if __name__ == "__main__":
    port, count = int(sys.argv[1]), int(sys.argv[2])
    ready = multiprocessing.Barrier(PROCESSES + 1)
    share = count // PROCESSES
    ranges = [range(n * share, count if n == PROCESSES - 1 else (n + 1) * share) for n in range(PROCESSES)]
    processes = [multiprocessing.Process(target=send, args=(port, numbers, ready)) for numbers in ranges]
    for process in processes:
        process.start()
    print("ready", flush=True)
    sys.stdin.readline()
    ready.wait()
    for process in processes:
        process.join()
    print("done", flush=True)
