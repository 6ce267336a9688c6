# shellcheck shell=bash
# Downloads for the scripts of this folder, each from a package registry into a folder; a failure shows the end of its
# log. Sourced after lib.bash.

# download_package PACKAGE FOLDER SECONDS: Debian's package as a file. It is not installed, because it would start a server.
download_package() {
  local package="$1" folder="$2" seconds="$3"
  # As root, apt fetches as a user who may not write here; it reports that and continues as root.
  (cd "${folder}" && timeout "${seconds}" apt-get -qq download "${package}" >download.log 2>&1) || {
    show_tail "${folder}/download.log"
    die "apt-get could not fetch ${package}: run apt-get update, or install ${package}"
  }
}

# download_wheels REQUIREMENTS FOLDER LOG WHAT: Python's packages, with their checksums.
download_wheels() {
  local requirements="$1" folder="$2" log="$3" what="$4"
  python3 -m pip --version >/dev/null 2>&1 || die "pip is missing: run deploy/local/install-deps --test"
  if ! timeout 300 python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
    --dest "${folder}" --requirement "${requirements}" >"${log}" 2>&1; then
    show_tail "${log}"
    die "pip could not fetch ${what}"
  fi
}

# download_jars POM FOLDER LOG WHAT SECONDS
download_jars() {
  local pom="$1" folder="$2" log="$3" what="$4" seconds="$5"
  command -v mvn >/dev/null || die "mvn is missing: run deploy/local/install-deps --test"
  if ! timeout "${seconds}" mvn --batch-mode --no-transfer-progress --file "${pom}" dependency:copy-dependencies \
    -DoutputDirectory="${folder}" -DincludeScope=runtime >"${log}" 2>&1; then
    show_tail "${log}"
    die "Maven could not fetch ${what}"
  fi
}
