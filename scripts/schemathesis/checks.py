"""What Schemathesis does not know of this API: a refusal repeats nothing."""

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


@schemathesis.check
def nothing_is_repeated(ctx, response, case):
    """No answer that is a refusal holds a text that was sent."""
    if response.status_code < 400:
        return
    answer = response.text
    own = {p.name for p in case.operation.iter_parameters()}
    for place in (case.path_parameters, case.query, case.body, dict(case.headers or {})):
        for text in texts(place):
            if len(text) >= LEAST and text not in own and text in answer and text not in KNOWN:
                raise AssertionError("a refusal repeats what was sent")
    if PRETEND in answer:
        raise AssertionError("a refusal repeats what was sent")


# Words of the API's own that are also sent: names of properties and values of enums.
KNOWN = {
    "application/json", "application/problem+json", "application", "third-party", "cryptographic", "bootstrap", "superseded", "abandoned",
    "compromised", "premature", "unregistered", "unreachable", "false-positive", "undelivered", "accepted", "metadata", "shadowed", "retained",
    "registrar", "operator", "register", "expires_at", "no_successor", "include_history", "accept_skip", "credential", "schedule", "checkpoint", "consumer", "disabled",
}
