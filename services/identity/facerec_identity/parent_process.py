"""Ending with the process that started this one."""

import ctypes
import signal

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1
"""From Linux's sys/prctl.h; see prctl(2)."""


def end_with_parent() -> bool:
    """Have the kernel send SIGTERM when the parent dies, however it does.

    Returns:
        Whether it took effect; False on another system than Linux.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return prctl is not None and prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) == 0
