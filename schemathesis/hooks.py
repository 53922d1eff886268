"""Keeps Schemathesis signed in to the demo; scripts/schemathesis runs it.

It ends sessions for a living, its own among them: `include_current` is a parameter like any other. So whoever has
just ended something looks whether it was that, and signs in again.
"""

import os
import uuid

import requests
import schemathesis

ORIGIN = os.environ["COUNTERSIGN_ORIGIN"]
ACCOUNT = os.environ["COUNTERSIGN_ACCOUNT"]
COOKIE = "session"
TIMEOUT = 10


def sign_in(account):
    """A new session of this account: its cookie."""
    form = {"username": account, "password": f"{account}-password"}
    answer = requests.post(f"{ORIGIN}/login", data=form, allow_redirects=False, timeout=TIMEOUT)
    assert answer.status_code == 303, f"{account} cannot sign in: {answer.status_code}"
    return answer.cookies[COOKIE]


def who(cookie):
    return requests.get(f"{ORIGIN}/whoami", cookies={COOKIE: cookie}, timeout=TIMEOUT)


class Visitor:
    """The browser that all requests come from."""

    def __init__(self):
        self.cookie = sign_in(ACCOUNT)
        self.user_id = who(self.cookie).json()["user_id"]
        self.use_a_device()

    def use_a_device(self):
        """Another session of the same user: without one there would be nothing of its own to end."""
        self.device = sign_in(ACCOUNT)
        self.device_id = who(self.device).json()["session_id"]

    def stay_signed_in(self):
        if who(self.cookie).status_code == 401:
            self.cookie = sign_in(ACCOUNT)
        if who(self.device).status_code == 401:
            self.use_a_device()


VISITOR = Visitor()
# Somebody else's sessions, to be found and ended.
for other in ["alice", "alice", "bob", "support"]:
    sign_in(other)


@schemathesis.auth(refresh_interval=None)
class Session:
    def get(self, case, context):
        return VISITOR.cookie

    def set(self, case, data, context):
        case.cookies = {**(case.cookies or {}), COOKIE: data}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of the ids that could be are of a session that is."""
    try:
        is_even = uuid.UUID(path_parameters["id"]).int % 2 == 0
    except (KeyError, TypeError, ValueError, AttributeError):
        return path_parameters
    return {**path_parameters, "id": VISITOR.device_id} if is_even else path_parameters


@schemathesis.hook
def map_case(context, case):
    """Half of the listings begin at the first page: a page token that was made up leads to none."""
    if case.meta is not None and case.meta.generation.mode.is_positive and isinstance(case.query, dict):
        token = case.query.get("page_token")
        if isinstance(token, str) and len(token) % 2 == 0:
            case.query.pop("page_token")
    return case


@schemathesis.hook
def filter_case(context, case):
    """With a limit of 0 one could not sign in again. Other users' limits are read and written by the same code."""
    parameters = case.path_parameters or {}
    return not (case.method == "PUT" and str(parameters.get("user_id")) == VISITOR.user_id)


@schemathesis.hook
def after_call(context, case, response):
    if case.method in ("DELETE", "POST") and response.status_code < 300:
        VISITOR.stay_signed_in()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A page token is text to the schema, and only what a listing gave out is one: any other is refused."""
    return not (response.status_code == 400 and response.json().get("code") == "invalid-page-token")
