"""Every error an operation can answer is documented, by reference to the shared answers."""

from __future__ import annotations

from collections.abc import Iterator

from infra.contract.bundle import Json
from infra.contract.lint.contract import Contract, Operation
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import named

ANSWERS = {
    "400": "InvalidRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "405": "MethodNotAllowed",
    "409": "Conflict",
    "412": "PreconditionFailed",
    "413": "PayloadTooLarge",
    "415": "UnsupportedMediaType",
    "422": "Unprocessable",
    "429": "RateLimited",
    "500": "InternalError",
    "501": "NotImplemented",
    "503": "Unavailable",
}


def _responses(operation: Operation) -> Json:
    responses: Json = operation.document.get("responses") or {}
    return responses


def _missing(operation: Operation, *statuses: str) -> Iterator[str]:
    return (status for status in statuses if status not in _responses(operation))


@rule("errors-always")
def always(contract: Contract) -> Found:
    """Every operation documents 400, 429, 500 and 503."""
    for operation in contract.operations:
        for status in _missing(operation, "400", "429", "500", "503"):
            yield operation.place, f"{status} {ANSWERS[status]} is missing; every operation documents it"


@rule("errors-role")
def role(contract: Contract) -> Found:
    """An operation above anonymous documents 401 and 403."""
    for operation in contract.operations:
        if operation.document.get("x-required-role") in ("customer", "staff", "admin"):
            for status in _missing(operation, "401", "403"):
                yield operation.place, f"{status} {ANSWERS[status]} is missing; the operation asks for a role"


@rule("errors-token")
def token(contract: Contract) -> Found:
    """An anonymous operation that accepts a token documents 401; one that asks for permissions 403 too."""
    for operation in contract.operations:
        document = operation.document
        if document.get("x-required-role") != "anonymous" or document.get("security") == []:
            continue
        wanted = ("401", "403") if document.get("x-permissions") else ("401",)
        for status in _missing(operation, *wanted):
            yield operation.place, f"{status} {ANSWERS[status]} is missing; the operation accepts a token"


@rule("errors-body")
def body(contract: Contract) -> Found:
    """An operation with a body documents 413 and 415, one without neither."""
    for operation in contract.operations:
        if "requestBody" in operation.document:
            for status in _missing(operation, "413", "415"):
                yield operation.place, f"{status} {ANSWERS[status]} is missing; the operation has a body"
        else:
            for status in {"413", "415"} & set(_responses(operation)):
                yield operation.place, f"{status} {ANSWERS[status]} without a body"


@rule("errors-precondition")
def precondition(contract: Contract) -> Found:
    """Status 412 is documented exactly where If-Match is taken."""
    for operation in contract.operations:
        takes = any(parameter.get("name") == "If-Match" for parameter in contract.parameters(operation))
        if takes and "412" not in _responses(operation):
            yield operation.place, "412 PreconditionFailed is missing; the operation takes If-Match"
        if not takes and "412" in _responses(operation):
            yield operation.place, "412 PreconditionFailed without the parameter IfMatch"


@rule("errors-not-found")
def not_found(contract: Contract) -> Found:
    """An operation with a path parameter documents 404, unless every value is in an enum."""
    for operation in contract.operations:
        open_ended = any(
            parameter.get("in") == "path" and "enum" not in contract.resolve(parameter.get("schema", {}))
            for parameter in contract.parameters(operation)
        )
        if open_ended and "404" not in _responses(operation):
            yield operation.place, "404 NotFound is missing; the operation has a path parameter"


@rule("errors-planned")
def planned(contract: Contract) -> Found:
    """Status 501 is documented exactly as long as the operation is planned."""
    for operation in contract.operations:
        if operation.planned and "501" not in _responses(operation):
            yield operation.place, "501 NotImplemented is missing; the operation is planned"
        if not operation.planned and "501" in _responses(operation):
            yield operation.place, "501 NotImplemented, but the operation is not planned"


@rule("error-answer")
def answer(contract: Contract) -> Found:
    """Every answer that is not a success is the shared one of its status."""
    for operation in contract.operations:
        for status, response in _responses(operation).items():
            if str(status).startswith(("2", "3")):
                continue
            reference = response.get("$ref", "")
            wanted = ANSWERS.get(str(status))
            if wanted is None or named(reference) != wanted:
                yield operation.place, f"{status} should be $ref to responses/{wanted or '?'}.yaml"


@rule("success-answer")
def success(contract: Contract) -> Found:
    """Every operation has an answer for success."""
    for operation in contract.operations:
        if not any(str(status).startswith(("2", "3")) for status in _responses(operation)):
            yield operation.place, "no answer for success"
