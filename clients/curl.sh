#!/usr/bin/env bash
# curl with a cookie file, which it reads and writes with each request.
set -euo pipefail

origin=$1
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT

# Prints the body, and a last line with the status.
ask() { curl --silent --show-error --max-time 20 --cookie "$jar" --cookie-jar "$jar" --write-out '\n%{http_code}' "$@"; }

expect() { # WHAT EXPECTED ACTUAL
    [ "$2" = "$3" ] || {
        echo "curl: $1: expected $2, got $3" >&2
        exit 1
    }
}

for _ in 1 2 3; do
    answer=$(ask --data username=alice --data password=alice-password "$origin/login")
    expect "sign in" 303 "${answer##*$'\n'}"
    [[ $(ask "$origin/") == *"Welcome, alice."* ]] || expect "the message" shown missing
    for _ in 1 2 3 4 5; do
        answer=$(ask "$origin/whoami")
        expect "who am I" 200 "${answer##*$'\n'}"
        [[ $answer == *'"user_id":"2"'* ]] || expect "who am I" alice "$answer"
    done
    answer=$(ask --request POST "$origin/logout")
    expect "sign out" 303 "${answer##*$'\n'}"
    answer=$(ask "$origin/whoami")
    expect "afterwards" 401 "${answer##*$'\n'}"
done

# An API client: a bearer token, and no cookies.
call() { curl --silent --show-error --max-time 20 --write-out '\n%{http_code}' "$@"; }

for _ in 1 2 3; do
    answer=$(call --data username=alice --data password=alice-password "$origin/token")
    expect "get a token" 200 "${answer##*$'\n'}"
    token=$(sed -n 's/.*"access_token":"\([A-Za-z0-9_-]*\)".*/\1/p' <<<"$answer")
    for scheme in Bearer bearer Bearer bearer Bearer; do
        answer=$(call --header "Authorization: $scheme $token" "$origin/whoami")
        expect "who am I, with a token" 200 "${answer##*$'\n'}"
        [[ $answer == *'"user_id":"2"'* ]] || expect "who am I, with a token" alice "$answer"
    done
    answer=$(call --header "Authorization: Bearer $token" --request POST "$origin/logout")
    expect "sign out, with a token" 303 "${answer##*$'\n'}"
    answer=$(call --header "Authorization: Bearer $token" "$origin/whoami")
    expect "afterwards, with a token" 401 "${answer##*$'\n'}"
done
echo "curl $(curl --version | head -n 1 | cut -d ' ' -f 2)"
