# Shared by the scripts beside it; read by `.`, not run.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

fail_with() { # LOG MESSAGE...
    tail -n 40 "$1" >&2
    shift
    fail "$@"
}

# The folder that keeps tools between runs and checkouts.
tools="${COUNTERSIGN_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/countersign-tools}"

# Runs a cargo subcommand from PATH, or builds it once and keeps it. It builds without optimisation, since these need
# not be fast: cargo-deny then takes one minute to build instead of many.
cargo_tool() { # NAME VERSION
    PATH="$PATH:$tools/bin"
    export PATH
    command -v "cargo-$1" >/dev/null && return
    say "installing cargo-$1 $2 into $tools"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=false \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 \
        cargo install --quiet --locked "cargo-$1" --version "$2" --root "$tools" --target-dir "$tools/build"
    rm -rf "$tools/build"
}

# Debian would start a service with some packages. It asks this file first; the previous file comes back afterwards.
# --no-remove keeps a conflicting server that is in use.
apt_install() { # PACKAGE...
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
    say "installing $* with apt-get"
    (
        policy=/usr/sbin/policy-rc.d
        saved=""
        if [ -e "$policy" ]; then
            saved=$(mktemp "$policy.XXXXXX")
            mv "$policy" "$saved"
        fi
        trap 'rm -f "$policy"; [ -z "$saved" ] || mv "$saved" "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >&2 || exit 1
        apt-get install -qq --yes --no-remove --no-install-recommends "$@" >&2 || exit 1
    )
}

# Builds the demo with the features that Cargo.toml sets for it, and copies it. Another build with other features then
# does not change what the script tests.
build_demo() { # DESTINATION
    local built
    built=$(cargo build --example demo --message-format=json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
    [ -n "$built" ] || fail "cargo did not say where it built the demo"
    cp "$built" "$1"
}
