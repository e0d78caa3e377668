"""The ``facerec`` command: where it begins, and how it ends when nobody foresaw the end."""

import errno
import gc
import os
import sys

__all__ = ["main"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the signal's number."""

_ADVICE = {
    errno.ENOSPC: "make room and give the command again",
    errno.EDQUOT: "make room and give the command again",
    errno.EACCES: "see who may read and write there, or take another home (--home)",
    errno.EPERM: "see who may read and write there, or take another home (--home)",
    errno.EROFS: "make it writable, or take another home (--home)",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def main() -> None:
    """Run the command line; a full disk or Ctrl-C ends it without a traceback at any moment."""
    # Importing runtimes makes many objects that stay; looking for garbage among them again and
    # again is 5 % of the time of a short command.
    gc.set_threshold(50_000)
    try:
        from facerec.cli.app import app  # takes long enough for Ctrl-C to come meanwhile

        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        sys.exit(_told(error))


def _told(error: OSError) -> int:
    """Say in one line what the system refused, if it can be said; return the exit code."""
    advice = _ADVICE.get(error.errno or 0, "")
    what = ": ".join(filter(None, (str(error.filename or ""), error.strerror or str(error))))
    try:
        from facerec.cli.console import warn

        warn(f"{what}; {advice}" if advice else what)
        sys.stdout.flush()
    except OSError:
        # Nothing more can be said. The interpreter would try again at its end, and complain.
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 1
