"""Throughput of containers: kept and given back, never enforced. A container made without has 400 RU/s, as at Azure."""

from __future__ import annotations

from typing import Final

import orjson

from infra.local.cosmos.wire import Json, Refusal, Request, Response, answer

MANUAL: Final = 400
_AUTOSCALE: Final = "x-ms-cosmos-offer-autopilot-settings"
_MANUAL: Final = "x-ms-offer-throughput"


class Offers:
    """The offers of an account, by the link of what they are for."""

    def __init__(self) -> None:
        self._offers: dict[str, Json] = {}

    def make(self, rid: str, link: str, request: Request) -> None:
        """The offer of a new container, as the request's headers say. Raises `Refusal` (400)."""
        content: Json = {"offerThroughput": int(request.headers.get(_MANUAL, MANUAL))}
        if _AUTOSCALE in request.headers:
            content["offerAutopilotSettings"] = orjson.loads(request.headers[_AUTOSCALE])
        _check(content)
        name = f"o{rid[:3].lower().replace('+', 'a').replace('/', 'b')}{len(self._offers)}"
        self._offers[link] = {
            "id": name,
            "_rid": name,
            "_self": f"offers/{name}/",
            "resource": link,
            "offerResourceId": rid,
            "offerVersion": "V2",
            "content": content,
        }

    def handle(self, request: Request) -> Response:
        """A query for the offer of one resource, or the replacement of an offer."""
        if request.method == "POST":
            parameters = {each["name"]: each["value"] for each in request.json().get("parameters", [])}
            found = [offer for link, offer in self._offers.items() if link == parameters.get("@link")]
            return answer(200, {"_rid": "", "Offers": found, "_count": len(found)})
        wanted = request.json()
        link = next((link for link, offer in self._offers.items() if offer["id"] == request.segments[-1]), None)
        if request.method != "PUT" or link is None:
            raise Refusal(404, "there is no such offer")
        _check(wanted["content"])
        self._offers[link] = {**self._offers[link], "content": wanted["content"]}
        return answer(200, self._offers[link])


def _check(content: Json) -> None:
    most = content.get("offerAutopilotSettings", {}).get("maxThroughput", 1000)
    if most < 1000 or most % 1000:
        raise Refusal(400, "the maximum of autoscale is a multiple of 1000")
