"""Enrols the people of a batch, each by itself, while the next ones arrive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from google.rpc import error_details_pb2

from facerec.errors import FaceRecError, OverloadedError, RequestError
from facerec.v1 import enrollment_service_pb2 as api
from facerec_identity.error_status import status_of

__all__ = ["MOST_ITEMS", "enrol_batch"]

MOST_ITEMS = 10_000
"""People of one batch: their results must fit into one message."""

_AT_A_TIME = 4
"""Items that are held in memory: the next is read from the connection when one is done, so a
sender that is faster than the server waits instead of filling its memory."""

_PATIENCE_S = 0.2
"""Between two attempts of an item that found the queue full: a batch gives way to gates."""


async def enrol_batch(
    requests: AsyncIterator[api.BatchEnrollRequest],
    enrol: Callable[[api.BatchEnrollRequest], Awaitable[api.CreateProfileResponse]],
) -> list[api.BatchEnrollResult]:
    """Return one result an item, in order.

    Raises:
        RequestError: there are too many items, or one is no message; people before it may be
            enrolled, and are found again by their request ids when the batch is repeated.
    """
    results: list[api.BatchEnrollResult] = []
    free = asyncio.Semaphore(_AT_A_TIME)

    async def work(index: int, item: api.BatchEnrollRequest) -> None:
        try:
            results[index] = await _result(index, item, enrol)
        finally:
            free.release()

    tasks: list[asyncio.Task[None]] = []
    try:
        async for item in requests:
            index = len(results)
            if index >= MOST_ITEMS:
                raise RequestError(f"a batch holds at most {MOST_ITEMS} people", field="")
            results.append(api.BatchEnrollResult(index=index))
            await free.acquire()
            tasks.append(asyncio.create_task(work(index, item)))
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return results


async def _result(
    index: int,
    item: api.BatchEnrollRequest,
    enrol: Callable[[api.BatchEnrollRequest], Awaitable[api.CreateProfileResponse]],
) -> api.BatchEnrollResult:
    while True:
        try:
            done = await enrol(item)
        except OverloadedError:
            await asyncio.sleep(_PATIENCE_S)
        except FaceRecError as error:
            return api.BatchEnrollResult(index=index, error=_error_to_proto(error))
        else:
            profile = done.profile if done.HasField("profile") else None
            return api.BatchEnrollResult(index=index, profile=profile, images=done.images)


def _error_to_proto(error: FaceRecError) -> api.BatchEnrollError:
    status, info = status_of(error), error_details_pb2.ErrorInfo()
    reason = next((info.reason for detail in status.details if detail.Unpack(info)), "")
    return api.BatchEnrollError(code=status.code, reason=reason, message=status.message)
