#!/usr/bin/env bash
# Sees to it that commands are there: needs.sh COMMAND:PACKAGE[,PACKAGE]...
# As root on Debian and its kin it installs what is missing; elsewhere it says
# what to install and fails, rather than let tests be skipped.
set -euo pipefail

missing=()
for pair in "$@"; do
	if ! command -v "${pair%%:*}" >/dev/null; then
		IFS=, read -ra packages <<<"${pair##*:}"
		missing+=("${packages[@]}")
	fi
done
if ((${#missing[@]} == 0)); then
	exit 0
fi

if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
	echo "missing: ${missing[*]}. Install them with your system's package manager, then run this again." >&2
	exit 1
fi

echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install=(apt-get install -y -q --no-install-recommends "${missing[@]}")
# The package lists may be absent or old: fetch them once, then try again.
if ! "${install[@]}" && ! { apt-get update -q && "${install[@]}"; }; then
	echo "could not install ${missing[*]}: the tests that need them cannot run. Install them by hand, then run this again." >&2
	exit 1
fi
