"""When a gate may open. Pure: the time is handed in."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from facerec.errors import SettingsError

__all__ = ["ALWAYS", "OpenSpan", "Schedule"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_A_DAY = 24 * 60
_FORM = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d{2}):(\d{2})-(\d{2}):(\d{2})")


@dataclass(frozen=True)
class OpenSpan:
    """The same hours on some days of the week.

    Attributes:
        days: Days on which the span begins, 0 for Monday.
        begin_min: Minute of the day at which it begins, 0..1439.
        end_min: Minute at which it is over, excluded, 1..1440. One not after `begin_min` is of the
            next day, so that a night shift is one span.
    """

    days: frozenset[int]
    begin_min: int
    end_min: int

    @classmethod
    def parse(cls, text: str) -> "OpenSpan":
        """Read ``"mon-fri 07:00-19:00"`` or ``"sat 22:00-06:00"``.

        Raises:
            SettingsError: the text has another form, or names a day or hour that there is not.
        """
        found = _FORM.fullmatch(text.strip().lower())
        wrong = SettingsError(
            f"the span of time {text!r} is not understood; write it as 'mon-fri 07:00-19:00'"
        )
        if found is None:
            raise wrong
        first, last = found[1], found[2] or found[1]
        begin, end = int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])
        minutes_fit = int(found[4]) < 60 and int(found[6]) < 60
        if first not in _DAYS or last not in _DAYS or not minutes_fit:
            raise wrong
        if begin >= _MINUTES_A_DAY or not 0 <= end <= _MINUTES_A_DAY or begin == end:
            raise wrong
        start, count = _DAYS.index(first), (_DAYS.index(last) - _DAYS.index(first)) % 7 + 1
        return cls(frozenset((start + day) % 7 for day in range(count)), begin, end)

    def covers(self, weekday: int, minute: int) -> bool:
        """Tell whether a minute of a day of the week lies in the span."""
        if self.begin_min < self.end_min:
            return weekday in self.days and self.begin_min <= minute < self.end_min
        tonight = weekday in self.days and minute >= self.begin_min
        return tonight or ((weekday - 1) % 7 in self.days and minute < self.end_min)


@dataclass(frozen=True)
class Schedule:
    """When a gate may open.

    Attributes:
        spans: It is open in any of these; none at all for always.
        zone: Where its clock hangs. Hours are read from it, so that a change to summer time moves
            them as it moves people.
    """

    spans: tuple[OpenSpan, ...] = ()
    zone: tzinfo | None = None

    def is_open(self, at: datetime) -> bool:
        """Tell whether the gate may open at a time, which knows its own zone.

        Raises:
            SettingsError: the time knows no zone.
        """
        if at.tzinfo is None:
            raise SettingsError("a schedule is asked about a time that has no time zone")
        local = at if self.zone is None else at.astimezone(self.zone)
        minute = int(timedelta(hours=local.hour, minutes=local.minute).total_seconds()) // 60
        return not self.spans or any(s.covers(local.weekday(), minute) for s in self.spans)


ALWAYS = Schedule()
