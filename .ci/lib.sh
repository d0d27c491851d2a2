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
    advise "$package"
    return 1
}

# advise PACKAGE...: what to type, when they cannot be installed from here.
advise() {
    say "cannot install $*. Type this, then try again:" >&2
    if command -v dnf >/dev/null; then
        say "    sudo dnf install -y ${*/libc6-dev/glibc-devel}" >&2
    elif command -v yum >/dev/null; then
        say "    sudo yum install -y ${*/libc6-dev/glibc-devel}" >&2
    else
        say "    sudo apt-get update && sudo apt-get install -y $*" >&2
    fi
}

# Whether C can be compiled and linked: a cc without the headers of the C library, as of Debian's bare gcc, cannot.
compiles() { have cc && printf '#include <stdlib.h>\n' | cc -fsyntax-only -x c - 2>/dev/null; }

# What builds bluegreen: cargo, and the C compiler that links what Rust makes and builds the cryptography of TLS.
need_rust() {
    # rustup's place, in a shell that has not been told yet
    if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH=$HOME/.cargo/bin:$PATH
    fi
    command -v cargo >/dev/null \
        || die "there is no cargo on this machine: install Rust 1.89 or newer (with rustup, or your system's packages), then try again"
    compiles && return
    say "installing gcc and libc6-dev, as there is no C compiler on this machine"
    apt_install gcc libc6-dev && compiles && return
    advise gcc libc6-dev
    exit 1
}
