#!/usr/bin/env bash
# Runs a command whose temporary files are in memory, where there is a file
# system for that with room, and removes them: tests start and sync thousands of
# small files, and wait for the disk. Where there is none, files are where they
# always are.
#
#     scripts/inmemory.sh COMMAND...
set -euo pipefail

room=4 # GB, of the file system and twice that of memory

enough() { (($1 >= $2 * 1000 * 1000)); } # kB, GB

usable() {
	[[ -z ${REVENANT_TEST_ON_DISK:-} && $(stat -f -c %T "$1" 2>/dev/null) == tmpfs ]] &&
		enough "$(df -Pk "$1" | awk 'END { print $4 }')" "$room" &&
		enough "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" $((2 * room))
}

if usable /dev/shm; then
	# What a killed run left a day ago takes memory.
	find /dev/shm -maxdepth 1 -name 'rv.??????' -user "$(id -un)" -mmin +1440 -exec rm -rf {} +
	dir=$(mktemp -d /dev/shm/rv.XXXXXX)
	chmod 755 "$dir" # a database server runs as another user
	trap 'chmod -R u+rwX "$dir" 2>/dev/null; rm -rf "$dir"' EXIT
	# Tests run scripts: a file system that allows none is of no use.
	printf '#!/bin/sh\n' >"$dir/try" && chmod +x "$dir/try"
	if "$dir/try" 2>/dev/null; then
		export TMPDIR=$dir GOTMPDIR=$dir
	fi
	rm -f "$dir/try"
fi
"$@"
