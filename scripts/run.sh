#!/usr/bin/env bash
# Tries Revenant from end to end in a scratch registry: registers, rotates and
# retires sample secrets, scans a planted folder, this repository's tree and
# the Go module cache, and shows verdicts, timing, coverage and a proof.
#
# Everything it writes is in build/run, which it makes anew each time. The
# sample values are random and mean nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
work=$root/build/run
revenant=$root/build/bin/revenant
if [[ ! -x $revenant ]]; then
	echo "build it first: make build" >&2
	exit 1
fi
rm -rf "$work"
mkdir -p "$work/tmp"
export REVENANT_HOME=$work/home TMPDIR=$work/tmp NO_COLOR=1
unset REVENANT_SERVER REVENANT_PACK_KEY GITLEAKS_CONFIG

say() { printf '\n== %s\n' "$*"; }

# show CODE ARGS...: prints the command, runs it, and insists on its exit code.
show() {
	local want=$1 got=0
	shift
	printf '\n$ revenant %s\n' "${*//$root\//}"
	"$revenant" "$@" </dev/null || got=$?
	if [[ $got != "$want" ]]; then
		echo "exit code $got, expected $want" >&2
		exit 1
	fi
	if [[ $got != 0 ]]; then
		echo "(exit code $got)"
	fi
}

# pipe CODE FILE ARGS...: the same, with a file as standard input.
pipe() {
	local want=$1 file=$2 got=0
	shift 2
	printf '\n$ revenant %s < %s\n' "${*//$root\//}" "${file#"$root"/}"
	"$revenant" "$@" <"$file" || got=$?
	if [[ $got != "$want" ]]; then
		echo "exit code $got, expected $want" >&2
		exit 1
	fi
	if [[ $got != 0 ]]; then
		echo "(exit code $got)"
	fi
}

timed() {
	local start=$EPOCHREALTIME
	"$@"
	local end=$EPOCHREALTIME
	printf '(%d ms)\n' $(((${end/./} - ${start/./}) / 1000))
}

# random N: N letters and digits.
random() { head -c $(($1 * 16)) /dev/urandom | LC_ALL=C tr -dc 'a-zA-Z0-9' | cut -c "1-$1"; }

# ---------------------------------------------------------------- the values
values=$work/values
mkdir -p "$values"
random 32 >"$values/db-1"
random 32 >"$values/db-2"
random 40 >"$values/mail"
random 36 >"$values/spare"
printf 'p@ss/%s"&<%s>' "$(random 12)" "$(random 12)" >"$values/portal"

# ------------------------------------------- copies, as they turn up in life
sample=$work/sample
mkdir -p "$sample/deploy" "$sample/logs" "$sample/old"
db1=$(<"$values/db-1")
mail=$(<"$values/mail")
portal=$(<"$values/portal")
printf 'DB_USER=billing\nDB_PASSWORD=%s\n' "$db1" >"$sample/.env"
printf 'apiVersion: v1\nkind: Secret\ndata:\n  dsn: %s\n' "$(printf 'postgres://billing:%s@db/billing' "$db1" | base64 -w 0)" >"$sample/deploy/secret.yaml"
printf '2026-11-24T10:40:00Z mailer auth failed key=%s\n' "$(printf %s "$mail" | od -An -v -tx1 | tr -d ' \n')" >"$sample/logs/mailer.log"
escaped=${portal//\"/\\\"}
printf '{"portal": {"password": "%s"}}\n' "$escaped" >"$sample/old/export.json"
head -c 300000 /dev/urandom >"$sample/old/heap.bin"
printf %s "$db1" >>"$sample/old/heap.bin"
head -c 200000 /dev/urandom >>"$sample/old/heap.bin"
printf '{"source":"chat:example:ops","path":"ops/1","text":"use %s until Monday"}\n' "$db1" >"$work/chat.ndjson"

say "a registry and its keys"
show 0 init

say "register what is in use"
pipe 0 "$values/db-1" secret add billing/db-password --class application --owner team-billing --consumer shop
pipe 0 "$values/mail" secret add mail/api-key --class third-party --owner team-mail
pipe 0 "$values/portal" secret add portal/admin --class bootstrap --owner team-platform
pipe 0 "$values/spare" secret add spare/token --class application
printf '\n$ revenant secret issue ci/deploy-token   (the value it shows once is left out here)\n'
"$revenant" secret issue ci/deploy-token --consumer pipeline >/dev/null

say "scan a folder that holds copies: raw, base64, hex, escaped, inside random bytes"
timed show 1 dir "$sample"

say "the same value in a chat export"
pipe 1 "$work/chat.ndjson" stdin --format ndjson

say "rotate: the old value has a day, every known copy of it lags"
pipe 0 "$values/db-2" secret rotate billing/db-password --window 24h
show 0 findings list --secret billing/db-password

say "retire: the copies are stale at once, with the scanned folder gone"
mv "$sample" "$work/sample-away"
timed show 0 secret retire billing/db-password@1
show 0 findings list --secret billing/db-password
mv "$work/sample-away" "$sample"

say "clear up most of it, scan again"
rm "$sample/.env" "$sample/deploy/secret.yaml"
timed show 1 dir "$sample"

say "a git repository that hides copies in a merge, a stash, a message and an amended commit"
repo=$work/repo
git init -q -b main "$repo"
ingit() { git -C "$repo" -c user.name=Sample -c user.email=sample@example.org -c commit.gpgsign=false "$@" >/dev/null; }
echo "shop" >"$repo/README"
ingit add -A && ingit commit -q -m "first"
ingit checkout -q -b topic && echo "topic" >"$repo/topic.txt" && ingit add -A && ingit commit -q -m "topic"
ingit checkout -q main && echo "main" >"$repo/main.txt" && ingit add -A && ingit commit -q -m "main"
ingit merge -q --no-commit topic && printf 'DB_PASSWORD=%s\n' "$db1" >"$repo/.env" && ingit add -A && ingit commit -q -m "merge"
ingit rm -q .env && ingit commit -q -m "the old password was $db1"
printf 'mail: %s\n' "$(printf 'key=%s' "$mail" | base64 -w 0)" >"$repo/amended.yaml" && ingit add -A && ingit commit -q -m "oops"
ingit rm -q --cached amended.yaml && rm "$repo/amended.yaml" && ingit commit -q --amend --allow-empty -m "nothing"
printf '%s' "$mail" >"$repo/notes.txt" && ingit stash -q -u
timed show 1 git "$repo"

say "this repository's own history"
if git rev-parse --git-dir >/dev/null 2>&1; then
	timed show 0 git "$root" --fail-on stale
else
	echo "this is no git repository"
fi

say "this repository's tree, registered values and gitleaks' rules"
tree=$work/tree
mkdir -p "$tree"
if git rev-parse --git-dir >/dev/null 2>&1; then
	git ls-files -z | while IFS= read -r -d '' file; do
		if [[ -f $file ]]; then printf '%s\0' "$file"; fi # not what was removed and not committed yet
	done | tar --null --files-from=- -cf - | tar -C "$tree" -xf -
else
	tar --exclude ./build --exclude ./.git -cf - . | tar -C "$tree" -xf -
fi
timed show 0 dir "$tree" --fail-on stale # split and encoded test data is seen through

say "the Go module cache, registered values, what is packed and encoded too"
cache=$(go env GOMODCACHE)
if [[ -d $cache ]]; then
	du -shL "$cache" | awk '{ print $1 " in the module cache" }'
	timed show 0 dir "$cache" --only registered --exclude 'cache/**' --exclude testdata # downloads, and hostile samples of packers
else
	echo "there is no module cache here"
fi

say "what is known"
show 0 source list
show 0 coverage billing/db-password@1
show 0 status

say "proofs: one value is still in the heap dump, the other was never leaked"
show 1 prove billing/db-password@1
show 0 prove spare/token@1 --accept-skip all --out "$work/proof.json"
show 0 prove --verify "$work/proof.json"

say "the audit log, and the keys"
show 0 audit verify
show 0 key status

rm -rf "$values" "$work/tmp"
say "done; everything is in build/run"
