"""requests, httpx and aiohttp, each with the cookie jar that it brings."""

import asyncio
import sys

import aiohttp
import httpx
import requests

ORIGIN = sys.argv[1]
ALICE = {"username": "alice", "password": "alice-password"}
SECONDS = 20


def expect(client, what, expected, actual):
    if expected != actual:
        sys.exit(f"{client}: {what}: expected {expected}, got {actual}")


def expect_alice(client, status, body):
    expect(client, "who am I", (200, "2"), (status, body.get("user_id")))


def synchronous(name, client, quietly):
    """What requests and httpx have in common; `quietly` keeps them from following redirects."""
    for _ in range(3):
        answer = client.post(f"{ORIGIN}/login", data=ALICE, timeout=SECONDS, **quietly)
        expect(name, "sign in", 303, answer.status_code)
        page = client.get(f"{ORIGIN}/", timeout=SECONDS).text
        expect(name, "the message is shown", True, "Welcome, alice." in page)
        for _ in range(5):
            answer = client.get(f"{ORIGIN}/whoami", timeout=SECONDS)
            expect_alice(name, answer.status_code, answer.json())
        answer = client.post(f"{ORIGIN}/logout", timeout=SECONDS, **quietly)
        expect(name, "sign out", 303, answer.status_code)
        answer = client.get(f"{ORIGIN}/whoami", timeout=SECONDS)
        expect(name, "afterwards", 401, answer.status_code)


async def with_aiohttp():
    name = "aiohttp"
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    # `unsafe` keeps cookies of addresses too, not of names alone. The quotes around values are its default.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=timeout) as client:
        for _ in range(3):
            async with client.post(f"{ORIGIN}/login", data=ALICE, allow_redirects=False) as answer:
                expect(name, "sign in", 303, answer.status)
            async with client.get(f"{ORIGIN}/") as answer:
                page = await answer.text()
                expect(name, "the message is shown", True, "Welcome, alice." in page)
            for _ in range(5):
                async with client.get(f"{ORIGIN}/whoami") as answer:
                    expect_alice(name, answer.status, await answer.json(content_type=None))
            async with client.post(f"{ORIGIN}/logout", allow_redirects=False) as answer:
                expect(name, "sign out", 303, answer.status)
            async with client.get(f"{ORIGIN}/whoami") as answer:
                expect(name, "afterwards", 401, answer.status)


with requests.Session() as session:
    synchronous("requests", session, {"allow_redirects": False})
print(f"requests {requests.__version__}")

with httpx.Client() as session:
    synchronous("httpx", session, {"follow_redirects": False})
print(f"httpx {httpx.__version__}")

asyncio.run(with_aiohttp())
print(f"aiohttp {aiohttp.__version__}")
