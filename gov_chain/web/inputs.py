"""Reading what a request carries: bytes in, a checked pydantic model out, `InputError` otherwise.

Refused before any model sees it: bodies above the cap, JSON that is not UTF-8, nests deeper
than 24, repeats a key, holds NaN/Infinity, an integer beyond 64 bits, a NUL or a lone surrogate
(no database or digest takes these); forms that repeat a parameter (RFC 6749 §3.1).
What was refused is named by place, never by value: error answers hold no personal data.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NoReturn, TypeVar

from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from pydantic import BaseModel, ConfigDict, ValidationError

from gov_chain.web.errors import InputError, WebError

MAX_BODY = 1024 * 1024
MAX_DEPTH = 24

ModelT = TypeVar("ModelT", bound=BaseModel)
Extra = Literal["forbid", "ignore", "allow"]


class Input(BaseModel):
    """Base for request models: unknown members are refused, values are never changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_json(
    request: HttpRequest, model: type[ModelT], *, extra: Extra | None = None, oauth: str = "", limit: int = MAX_BODY
) -> ModelT:
    """The JSON body as `model`, strictly (no "1" for 1). `extra` overrides what the model says about
    unknown members (default: refused); `oauth` is the OAuth error value a refusal carries."""
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise InputError("input-media-type", oauth=oauth, expected="application/json")
    body = _body(request, limit)
    parse_json(body, oauth=oauth)
    try:
        return model.model_validate_json(body, strict=True, extra=extra or _own_extra(model))
    except ValidationError as error:
        _refuse(error, oauth)


def read_form(
    request: HttpRequest, model: type[ModelT], *, extra: Extra | None = None, oauth: str = "", limit: int = MAX_BODY
) -> ModelT:
    """The form body (urlencoded or multipart) as `model`; text is converted to the model's types."""
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise InputError("input-media-type", oauth=oauth, expected="application/x-www-form-urlencoded")
    if request.content_type == "application/x-www-form-urlencoded":
        _body(request, limit)
    try:
        pairs = request.POST.lists()
    except MultiPartParserError as error:
        raise InputError("input-invalid", oauth=oauth, where="multipart", log=str(error)) from error
    return _from_pairs(dict(pairs), model, extra, oauth)


def read_query(request: HttpRequest, model: type[ModelT], *, extra: Extra | None = None, oauth: str = "") -> ModelT:
    """The query string as `model`; text is converted to the model's types."""
    return _from_pairs(dict(request.GET.lists()), model, extra, oauth)


def parse_json(body: bytes, *, oauth: str = "") -> Any:
    """`body` as JSON within the limits above; raises `InputError("input-not-json")`."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_constant)
        _check(value, MAX_DEPTH)
    except (ValueError, RecursionError) as error:
        raise InputError("input-not-json", oauth=oauth, log=type(error).__name__) from error
    return value


def _from_pairs(pairs: dict[str, list[Any]], model: type[ModelT], extra: Extra | None, oauth: str) -> ModelT:
    pairs.pop("csrfmiddlewaretoken", None)
    values: dict[str, Any] = {}
    lists = {name for name, field in model.model_fields.items() if "list" in str(field.annotation)}
    for name, given in pairs.items():
        if not _clean(name) or not all(_clean(text) for text in given):
            raise InputError("input-invalid", oauth=oauth, where="control characters")
        if name in lists:
            values[name] = given
        elif len(given) == 1:
            values[name] = given[0]
        else:
            raise InputError("input-invalid", oauth=oauth, where=f"{name[:40]}: repeated")
    try:
        return model.model_validate(values, extra=extra or _own_extra(model))
    except ValidationError as error:
        _refuse(error, oauth)


def _own_extra(model: type[BaseModel]) -> Extra:
    return model.model_config.get("extra") or "forbid"


def _body(request: HttpRequest, limit: int) -> bytes:
    body = request.body
    if len(body) > limit:
        raise WebError("body-too-large")
    return body


def _refuse(error: ValidationError, oauth: str) -> NoReturn:
    """Name the first few places and rules broken; never a value, never a member name we do not know."""
    places = []
    for item in error.errors(include_input=False, include_url=False, include_context=False)[:3]:
        unknown = item["type"] == "extra_forbidden"
        where = ".".join(str(part)[:40] for part in (item["loc"][:-1] if unknown else item["loc"]))
        rule = "unknown member" if unknown else item["type"].replace("_", " ")
        places.append(f"{where}: {rule}" if where else rule)
    raise InputError("input-invalid", oauth=oauth, where="; ".join(places)) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("repeated key")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _clean(text: Any) -> bool:
    """A text a database column and a UTF-8 encoder take. Uploaded files pass; they are read elsewhere."""
    return not isinstance(text, str) or not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
    elif isinstance(value, str):
        if not _clean(value):
            raise ValueError("NUL or lone surrogate")
    elif isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise ValueError("number out of range")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("number out of range")
