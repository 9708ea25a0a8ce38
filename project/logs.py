"""How log lines look: one JSON object a line in production, plain text embedded. No addresses, texts or user ids."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "server_time"}
# PostgreSQL repeats the offending values in its DETAIL and CONTEXT lines.
_VALUES = re.compile(r"^(DETAIL|CONTEXT|HINT): .*$", re.MULTILINE)


class RoutesNotPaths(logging.Filter):
    """Puts a request's route in place of its path: paths carry tokens and user ids, often e-mail addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        path = getattr(request, "path", None)
        if path and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            route = f"/{match.route}" if match else "(no route)"
            record.args = tuple(route if argument == path else argument for argument in record.args)
        return True


class JSONFormatter(logging.Formatter):
    """`extra` fields stand beside time, level, logger and event."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        } | _extra(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)

    def formatException(self, ei: Any) -> str:
        return _VALUES.sub(r"\1: (left out)", super().formatException(ei))


class PlainFormatter(JSONFormatter):
    """For people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = f"{moment} {record.levelname.lower()} {record.name}: {record.getMessage()}{extra}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
