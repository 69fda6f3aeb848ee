"""What Schemathesis does not know of this API: a refusal repeats nothing."""

import functools
import json

import schemathesis


def texts(value):
    """The texts in something that was sent."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)


LEAST = 8  # shorter ones stand in words of the API's own
PRETEND = "0" * LEAST  # what longest texts are made of


def words(document):
    """The API's own words: names of properties and parameters, and values of enums."""
    if isinstance(document, dict):
        if isinstance(document.get("properties"), dict):
            yield from document["properties"]
        if isinstance(document.get("enum"), list):
            yield from (w for w in document["enum"] if isinstance(w, str))
        if isinstance(document.get("name"), str) and "in" in document:
            yield document["name"]
        for inner in document.values():
            yield from words(inner)
    elif isinstance(document, list):
        for inner in document:
            yield from words(inner)


@functools.cache
def known(document):
    """The words of a document, which is its text."""
    return set(words(json.loads(document))) | KNOWN


@schemathesis.check
def nothing_is_repeated(ctx, response, case):
    """No answer that is a refusal holds a text that was sent."""
    if response.status_code < 400:
        return
    answer = response.text
    own = known(json.dumps(case.operation.schema.raw_schema))
    for place in (case.path_parameters, case.query, case.body, dict(case.headers or {})):
        for text in texts(place):
            if len(text) >= LEAST and text not in own and text in answer:
                raise AssertionError("a refusal repeats what was sent")
    if PRETEND in answer:
        raise AssertionError("a refusal repeats what was sent")


# What is also sent and stands in refusals by right: what bodies are.
KNOWN = {"application/json", "application/problem+json", "application"}
