"""Reading signals: forecasts that a subnet's owner publishes and sells. Needs nothing but Python.

    from mantis_sdk.signal import Signals

    signals = Signals("https://signals.example.org", key="mk_live_..", public_key="64 hexadecimal digits")
    print(signals.latest("ETH-1H-BINARY")["forecast"]["values"])
    for forecast in signals.stream(["ETH-1H-BINARY"]):
        print(forecast["seq"], forecast["values"])

Every answer is checked before it is given: its digest and signature, each forecast's hash, and the links between those whose
numbers follow each other. What does not hold is refused with a `VerificationError`. Without `public_key` the first one that
the server names is believed, so take it from somewhere else, and give it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import http.client
import ipaddress
import json
import re
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Iterator, Optional, Sequence

from ._ed25519 import is_signed

__all__ = ["SignalError", "Signals", "VerificationError", "canonical", "day_message"]

_LONGEST = 32 << 20
_INPUT = re.compile(
    r'\Asig1=(?P<params>\("@status" "content-digest"\);created=(?P<created>[0-9]{1,12});keyid="(?P<key>[0-9a-f]{64})";alg="ed25519")\Z'
)
_GENESIS = "0" * 64


class SignalError(RuntimeError):
    """The server gave no answer; its sentence says why."""

    def __init__(self, status: int, detail: str, retry_after: Optional[float] = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        """Seconds after which it may be tried again, where the server says so."""


class VerificationError(RuntimeError):
    """An answer is not what the owner of the key has signed, or not an answer to what was asked."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def canonical(forecast: dict[str, Any]) -> bytes:
    """The text that a forecast's hash is of: numbers of `values` are their 64 bits, highest first, as hexadecimal digits."""

    def bits(value: Optional[float]) -> Optional[str]:
        return None if value is None else struct.pack(">d", value).hex()

    whole = {
        "v": 1,
        "seq": forecast["seq"],
        "ticker": forecast["ticker"],
        "sidx": forecast["sidx"],
        "block": forecast["block"],
        "head": forecast["head"],
        "as_of": forecast["as_of"],
        "published_at": forecast["published_at"],
        "fit": forecast["fit"],
        "miners": forecast["miners"],
        "values": [bits(value) for value in forecast["values"]],
        "previous": forecast["previous"],
    }
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


def day_message(day: dict[str, Any]) -> bytes:
    """What the signature of a day is of."""
    return f"mantis-signal-day-1\n{day['day']}\n{day['first_seq']}\n{day['last_seq']}\n{day['root']}".encode()


class Signals:
    """A server of signals.

    url: where it is, such as "https://signals.example.org".
    key: your key, if you have one. It is sent in a header, over https or to this machine only.
    public_key: what answers must be signed with, 64 hexadecimal digits.
    max_age: seconds that an answer's signature may be old; your clock counts.
    timeout: seconds until a request is given up, or a stream that says nothing is opened again.
    """

    def __init__(
        self,
        url: str,
        key: Optional[str] = None,
        public_key: Optional[str] = None,
        max_age: float = 300.0,
        timeout: float = 45.0,
    ) -> None:
        self._url = url.rstrip("/")
        parts = urllib.parse.urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url is no http or https address")
        if key is not None and parts.scheme != "https" and not _is_here(parts.hostname):
            raise ValueError("a key is sent over https only: use an https address")
        if public_key is not None and not re.fullmatch("[0-9a-fA-F]{64}", public_key):
            raise ValueError("public_key is not 64 hexadecimal digits")
        self._key = key
        self._public = public_key.lower() if public_key is not None else None
        self._max_age = max_age
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirects)

    @property
    def public_key(self) -> str:
        """What answers must be signed with."""
        if self._public is None:
            answer = self._open("/.well-known/mantis.json")
            body = _read(answer)
            try:
                public = json.loads(body)["public_key"]
            except (ValueError, KeyError, TypeError):
                raise VerificationError("/.well-known/mantis.json names no public key") from None
            if not isinstance(public, str) or not re.fullmatch("[0-9a-f]{64}", public):
                raise VerificationError("/.well-known/mantis.json names no public key")
            self._check(answer, body, public)
            self._public = public
        return self._public

    def catalogue(self) -> dict[str, Any]:
        """Signals and plans, and how late forecasts are given to you."""
        return self._get("/v1/signals")

    def latest(self, ticker: str) -> dict[str, Any]:
        """The newest forecast that your plan allows: `signal`, `delay_seconds`, `forecast`."""
        answer = self._get(f"/v1/signals/{_quoted(ticker)}/latest")
        self._check_forecasts([answer.get("forecast")], ticker)
        return answer

    def history(
        self, ticker: str, start: int | str | None = None, end: int | str | None = None, page: int = 1000
    ) -> Iterator[dict[str, Any]]:
        """Forecasts that were published before, in their order. start, end: a number, a date or a time (UTC)."""
        while True:
            query = {"limit": page, **({} if start is None else {"from": start}), **({} if end is None else {"to": end})}
            answer = self._get(f"/v1/signals/{_quoted(ticker)}?{urllib.parse.urlencode(query)}")
            forecasts = answer.get("forecasts")
            if not isinstance(forecasts, list):
                raise VerificationError("an answer without forecasts")
            self._check_forecasts(forecasts, ticker)
            yield from forecasts
            following = answer.get("next")
            if following is None:
                return
            if not forecasts or following <= forecasts[-1]["seq"]:
                raise VerificationError("the next page begins before the end of this one")
            start = following

    def record(self, ticker: str, days: int = 90) -> dict[str, Any]:
        """What a signal's forecasts were worth."""
        answer = self._get(f"/v1/signals/{_quoted(ticker)}/record?days={days}")
        if answer.get("ticker") != ticker:
            raise VerificationError("the record of another signal")
        return answer

    def days(self, limit: int = 30) -> list[dict[str, Any]]:
        """Signed days of the chain of forecasts, the newest first."""
        days = self._get(f"/v1/days?limit={limit}").get("days")
        if not isinstance(days, list):
            raise VerificationError("an answer without days")
        for day in days:
            try:
                signed = is_signed(bytes.fromhex(self.public_key), day_message(day), bytes.fromhex(day["signature"]))
            except (KeyError, TypeError, ValueError):
                signed = False
            if not signed:
                raise VerificationError("a day that is not signed with the public key")
        return days

    def me(self) -> dict[str, Any]:
        """What your key is for, and what it was used for."""
        return self._get("/v1/me")

    def rotate(self) -> str:
        """Another key in the place of yours, which lives on for 24 hours. This object uses the new one from then on."""
        answer = self._get("/v1/keys/rotate", method="POST")
        self._key = str(answer["key"])
        return self._key

    def stream(self, signals: Optional[Sequence[str]] = None, after: Optional[int] = None) -> Iterator[dict[str, Any]]:
        """Forecasts as they are published, without end: when the connection breaks, it is opened again, and goes on where it
        was. `after` is the number of the last one that you have."""
        query = "" if signals is None else "?" + urllib.parse.urlencode({"signals": ",".join(signals)})
        public, last, before, wait = self.public_key, after, None, 1.0
        while True:
            try:
                headers = {"Accept": "text/event-stream"}
                if last is not None:
                    headers["Last-Event-ID"] = str(last)
                with self._open(f"/v1/stream{query}", headers) as answer:
                    for kind, data in _events(answer):
                        if kind != "forecast":
                            continue
                        forecast = self._forecast(data, public)
                        if signals is not None and forecast["ticker"] not in signals:
                            raise VerificationError("a forecast of another signal")
                        if last is not None and forecast["seq"] <= last:
                            raise VerificationError("a forecast that comes a second time")
                        self._check_link(before, forecast)
                        last, before, wait = forecast["seq"], forecast, 1.0
                        yield forecast
            except SignalError as error:
                # A key that does not count, or a wrong question: again would be the same.
                if error.status not in (429, 500, 502, 503, 504):
                    raise
                wait = max(wait, error.retry_after or 0.0)
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(min(wait, 60.0))
            wait = min(wait * 2, 30.0)

    def _forecast(self, data: str, public: str) -> dict[str, Any]:
        try:
            forecast = json.loads(data)
            signature = bytes.fromhex(forecast.pop("signature"))
            message = f"mantis-signal-forecast-1\n{forecast['hash']}".encode()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise VerificationError("an event that is no signed forecast") from None
        self._check_hash(forecast)
        if not is_signed(bytes.fromhex(public), message, signature):
            raise VerificationError(f"forecast {forecast['seq']} is not signed with the public key")
        return forecast

    def _check_forecasts(self, forecasts: list[Any], ticker: str) -> None:
        before = None
        for forecast in forecasts:
            self._check_hash(forecast)
            if forecast["ticker"] != ticker:
                raise VerificationError("a forecast of another signal")
            if before is not None and forecast["seq"] <= before["seq"]:
                raise VerificationError("forecasts that are not in their order")
            self._check_link(before, forecast)
            before = forecast

    @staticmethod
    def _check_hash(forecast: Any) -> None:
        try:
            found = hashlib.sha256(canonical(forecast)).hexdigest()
            first = forecast["seq"] == 1 and forecast["previous"] != _GENESIS
            holds = found == forecast["hash"] and not first
        except (KeyError, TypeError, ValueError, struct.error, OverflowError):
            raise VerificationError("what is no forecast") from None
        if not holds:
            raise VerificationError(f"forecast {forecast['seq']} is not that of its hash")

    @staticmethod
    def _check_link(before: Optional[dict[str, Any]], forecast: dict[str, Any]) -> None:
        if before is not None and forecast["seq"] == before["seq"] + 1 and forecast["previous"] != before["hash"]:
            raise VerificationError(f"forecast {forecast['seq']} does not follow the one before it")

    def _get(self, path: str, method: str = "GET") -> dict[str, Any]:
        public = self.public_key
        with self._open(path, method=method) as answer:
            body = _read(answer)
            self._check(answer, body, public)
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise VerificationError("an answer that is no JSON object")
        return document

    def _open(self, path: str, headers: Optional[dict[str, str]] = None, method: str = "GET") -> Any:
        headers = dict(headers or {})
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url + path, headers=headers, method=method)
        try:
            return self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error) from None

    def _check(self, answer: Any, body: bytes, public: str) -> None:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if _one(answer, "Content-Digest") != f"sha-256=:{digest}:":
            raise VerificationError("the answer is not that of its digest")
        said = _INPUT.match(_one(answer, "Signature-Input") or "")
        if said is None or said["key"] != public:
            raise VerificationError("the answer is not signed with the public key")
        base = (
            f'"@status": {answer.status}\n"content-digest": sha-256=:{digest}:\n"@signature-params": {said["params"]}'
        )
        signature = _one(answer, "Signature") or ""
        try:
            if not (signature.startswith("sig1=:") and signature.endswith(":")):
                raise ValueError
            raw = base64.b64decode(signature[6:-1], validate=True)
        except (ValueError, binascii.Error):
            raise VerificationError("the answer has no signature") from None
        if not is_signed(bytes.fromhex(public), base.encode(), raw):
            raise VerificationError("the answer is not signed with the public key")
        if abs(time.time() - int(said["created"])) > self._max_age:
            raise VerificationError("the answer is an old one (or the clock is wrong)")


def _events(answer: Any) -> Iterator[tuple[str, str]]:
    """Events of a stream: kind and data."""
    kind, data, size = "message", [], 0
    while True:
        line = answer.readline(_LONGEST)
        if not line.endswith(b"\n"):
            return
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        size += len(text)
        if size > _LONGEST:
            raise VerificationError("an event without end")
        if not text:
            if data:
                yield kind, "\n".join(data)
            kind, data, size = "message", [], 0
            continue
        name, _, value = text.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)


def _read(answer: Any) -> bytes:
    body: bytes = answer.read(_LONGEST + 1)
    if len(body) > _LONGEST:
        raise VerificationError("an answer without end")
    return body


def _one(answer: Any, name: str) -> Optional[str]:
    values = answer.headers.get_all(name) or []
    return values[0].strip() if len(values) == 1 else None


def _refused(error: urllib.error.HTTPError) -> SignalError:
    detail = str(error.reason)
    try:
        detail = str(json.loads(error.read(1 << 16))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        pass
    after = error.headers.get("Retry-After") or ""
    return SignalError(error.code, detail, float(after) if after.isdigit() else None)


def _quoted(ticker: str) -> str:
    return urllib.parse.quote(ticker, safe="")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
