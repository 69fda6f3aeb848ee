#!/usr/bin/env bash
# Writes golden files anew in every package whose tests have an -update flag,
# and in the root package, which writes the lint floors of .golangci.yml.
set -euo pipefail

# A flag that a test binary does not know is an error, so only the packages
# whose own tests declare it are run.
grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | grep -v '^./build/' | xargs -n1 dirname | sort -u |
	while read -r package; do
		echo "golden: $package"
		go test -count=1 "$package" -update
	done
