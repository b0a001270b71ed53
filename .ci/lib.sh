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

# unpack_debian PACKAGE PROGRAM FOLDER
# Unpacks a Debian package and its libraries with apt-get and dpkg-deb, without root. FOLDER/PACKAGE/PROGRAM runs it.
unpack_debian() {
    local package=$1 program=$2 into=$3/$1
    # Separate package lists: writable without root, and present even if the system has none.
    local apt=$3/apt
    rm -rf "$apt" "$into"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$into"
    apt=$(cd "$apt" && pwd)
    local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o APT::Sandbox::User=)
    apt-get "${options[@]}" update || return
    local packages
    # The packages of an installation, without those only needed by install scripts.
    packages=$(apt-get "${options[@]}" --no-install-recommends -s install "$package" |
        awk -v package="$package" '$1 == "Inst" && ($2 == package || $2 ~ /^lib|-tools$/) { print $2 }') || return
    # shellcheck disable=SC2086 # a list
    (cd "$apt" && apt-get "${options[@]}" download $packages) || return
    local file
    for file in "$apt"/*.deb; do
        dpkg-deb -x "$file" "$into" || return
    done
    rm -rf "$apt"
    cat >"$into/$program" <<END
#!/bin/sh
# $program of Debian with its unpacked libraries.
here=\$(cd "\$(dirname "\$0")" && pwd)
for folder in "\$here"/usr/lib/*-linux-gnu* "\$here"/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH=\${LD_LIBRARY_PATH:+\$LD_LIBRARY_PATH:}\$folder
done
export LD_LIBRARY_PATH
for program in "\$here"/usr/sbin/$program "\$here"/usr/bin/$program; do
    if [ -x "\$program" ]; then exec "\$program" "\$@"; fi
done
exit 127
END
    chmod +x "$into/$program"
}
