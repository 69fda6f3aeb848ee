#!/bin/sh
# Any system that runs a shell: BASE is the branch or commit that the change
# starts from, as in BASE=main.
set -eu
exec revenant ci --base "${BASE:-main}" -r text:- -r junit:revenant.xml -r sarif:revenant.sarif "$@"
