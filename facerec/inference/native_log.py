"""Keeping known chatter of native libraries off stderr."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_chatter"]

# File descriptor 2 belongs to the whole process, so only one thread may turn it at a time.
_stderr_lock = threading.Lock()


@contextmanager
def without_chatter(*beginnings: str) -> Iterator[None]:
    """Drop the lines that native code writes to stderr and that begin with one of `beginnings`.

    LiteRT logs from C++ straight to file descriptor 2 and offers no way to set its log level. All
    other lines are passed on when the block ends, also when it ends by an exception.
    """
    with _stderr_lock, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            chatter = tuple(beginning.encode() for beginning in beginnings)
            for line in held:
                if not line.startswith(chatter):
                    os.write(2, line)
