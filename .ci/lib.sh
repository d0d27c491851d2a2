# shellcheck shell=bash
# What ./demo, ./test and .ci/run share. Sourced from the root of the repository.

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is, or through sudo without a prompt. Fails when there is no such right.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@" 2>/dev/null
    fi
}

# An ordinary user's PATH lacks the places of nginx and lsof.
have() { PATH=$PATH:/usr/sbin:/usr/local/sbin:/sbin command -v "$1" >/dev/null; }

# apt_install PACKAGE...: from the system's packages; fails when that is not possible.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
    as_root true || return 1
    as_root "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
    # the lists may be old, or not there yet
    as_root "${apt[@]}" update >/dev/null 2>&1 || true
    as_root "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1
}

# need PROGRAM PACKAGE: installs the package when the program is missing, and says so.
need() {
    local program=$1 package=$2
    have "$program" && return
    say "installing $package, as there is no $program on this machine"
    apt_install "$package" && have "$program" && return
    say "cannot install $package. Type this, then try again:" >&2
    if command -v dnf >/dev/null; then
        say "    sudo dnf install -y $package" >&2
    elif command -v yum >/dev/null; then
        say "    sudo yum install -y $package" >&2
    else
        say "    sudo apt-get update && sudo apt-get install -y $package" >&2
    fi
    return 1
}

need_cargo() {
    command -v cargo >/dev/null && return
    # rustup's place, in a shell that has not been told yet
    if [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH=$HOME/.cargo/bin:$PATH
        return
    fi
    die "there is no cargo on this machine: install Rust 1.89 or newer (with rustup, or your system's packages), then try again"
}
