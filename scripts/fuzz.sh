#!/usr/bin/env bash
# Runs every fuzz function for FUZZTIME. Go fuzzes one function of one package
# at a time, so the functions are listed first.
set -euo pipefail

fuzztime=${FUZZTIME:-30s}
found=0
for package in $(go list ./...); do
	for name in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		found=$((found + 1))
		echo "== $package $name for $fuzztime"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" -fuzzminimizetime 5x "$package"
	done
done
if ((found == 0)); then
	echo "no fuzz function found" >&2
	exit 1
fi
echo "fuzzed $found functions for $fuzztime each"
