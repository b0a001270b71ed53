# Shared by the scripts in .ci; to be sourced.

# skip CHECK REASON HOW_TO_INSTALL
# Reports a check that cannot run because a tool is missing. In CI (`CI` set and not empty) that is a failure: returns 1.
skip() {
    if [ -n "${CI:-}" ]; then
        printf 'FAILED: %s: %s. %s\n' "$@"
        return 1
    fi
    printf '\nSKIPPED: %s: %s. %s\n\n' "$@"
}

# python_venv FOLDER REQUIREMENTS [PIP_OPTION...]
# Installs pinned requirements into a virtual environment, unless they are already there.
python_venv() {
    local venv=$1 requirements=$2
    shift 2
    cmp -s "$requirements" "$venv/installed.txt" && return
    rm -rf "$venv"
    python3 -m venv "$venv" || return
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" -r "$requirements" || return
    cp "$requirements" "$venv/installed.txt"
}
