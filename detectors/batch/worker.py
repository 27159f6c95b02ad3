"""Worker: the process that does tasks for another, one at a time, for as long as that other one lives.

Takes messages from its standard input, gives an `Outcome` for each on its standard output; whatever tasks print goes to
standard error. When the input ends it ends at once, even within a task: the process it works for is gone, however that
went, or wants no more. Starting and leading workers is left to `detectors.batch.crew`.
"""

import os
import pickle
import signal
import struct
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO, Final

import pyarrow as pa

from detectors.batch.outcomes import Outcome, attempt, failed

_COUNT: Final = struct.Struct("<Q")
READY: Final = b"ready"
"""The first message of a worker: it has imported all it needs."""

Frames = list[bytes]
"""One message: a pickle and its buffers, which are sent without being copied."""


def frames_of(message: Any) -> list[Any]:
    """A message as the frames to send."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    return [head, *(buffer.raw() for buffer in buffers)]


def message_of(frames: Frames) -> Any:
    """The message that frames hold."""
    return pickle.loads(frames[0], buffers=frames[1:])  # noqa: S301 - from the pipe between a process and its worker


def send(stream: BinaryIO, frames: list[Any]) -> None:
    """Write one message. Raises OSError when nobody is there to read it."""
    sizes = [memoryview(frame).nbytes for frame in frames]
    stream.write(b"".join(_COUNT.pack(n) for n in (len(frames), *sizes)))
    for frame in frames:
        stream.write(frame)
    stream.flush()


def receive(stream: BinaryIO) -> Frames:
    """Read one message. Raises EOFError when the other side is gone."""
    (n_frames,) = _COUNT.unpack(_exactly(stream, _COUNT.size))
    sizes = [_COUNT.unpack(_exactly(stream, _COUNT.size))[0] for _ in range(n_frames)]
    return [_exactly(stream, size) for size in sizes]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def main(arrow_threads: int) -> None:
    """Work until the standard input ends. Runs as a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process worked for, which then closes the pipe
    pa.set_cpu_count(arrow_threads)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    tasks: SimpleQueue[Frames] = SimpleQueue()
    Thread(target=_listen, args=(source, tasks), daemon=True).start()
    send(sink, [READY])
    work = b""
    while True:
        frames = tasks.get()
        given, item = message_of(frames[:1])
        work = given or work
        send(sink, _answer(work, item, frames[1:]))
        pa.default_memory_pool().release_unused()


def _listen(source: BinaryIO, tasks: "SimpleQueue[Frames]") -> None:
    try:
        while True:
            tasks.put(receive(source))
    except (EOFError, OSError):
        os._exit(0)


def _answer(work: bytes, item: bytes, buffers: Frames) -> list[Any]:
    try:
        outcome = attempt(work, message_of([item, *buffers]))
        return frames_of(outcome)
    except Exception as error:  # the item or the result could not be pickled
        return frames_of(failed(error))


def task_frames(work: bytes | None, item: Any) -> list[Any]:
    """One task as frames; without `work` it is the same as in the task before."""
    head, *buffers = frames_of(item)
    return [pickle.dumps((work, head)), *buffers]


def outcome_of(frames: Frames) -> Outcome:
    """What a worker answered."""
    outcome: Outcome = message_of(frames)
    return outcome
