package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// refusal is a command line that is wrong usage, and what is said of it.
type refusal struct {
	line  string // words, cut at blanks; '' is an empty one
	words []string
}

// args are the words of the line.
func (r refusal) args() []string {
	args := strings.Fields(r.line)
	for i, w := range args {
		if w == "''" {
			args[i] = ""
		}
	}
	return args
}

// refuse runs command lines that are wrong usage: each says what was wrong, in
// which input, and the way out, in two lines at most.
func (b *box) refuse(list []refusal) {
	b.t.Helper()
	for _, c := range list {
		r := b.run("", c.args()...)
		if r.code != 2 {
			b.t.Errorf("revenant %s: exit code %d, want 2\n%s%s", c.line, r.code, r.stdout, r.stderr)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(r.stderr, w) {
				b.t.Errorf("revenant %s: %q is not in: %s", c.line, w, r.stderr)
			}
		}
		if strings.Count(r.stderr, "\n") > 2 || r.stdout != "" || strings.Contains(r.stderr, "not valid:") {
			b.t.Errorf("revenant %s says:\n%s%s", c.line, r.stdout, r.stderr)
		}
	}
}

// messageBox has a registry with two secrets, and files of every kind.
func messageBox(t *testing.T) *box {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(1), "secret", "add", "a/b")
	b.must(0, generated(2), "secret", "add", "c")
	b.must(0, generated(3), "secret", "rotate", "c")
	for name, content := range map[string]string{
		"file": "x\n", "empty": "", "binary": "\x00\x01\xff", "pattern.toml": "[[rules]]\nid = \"one\"\nregex = \"x\"\n[[rules]]\nid = \"two\"\nregex = \"[\"\n", "broken.toml": "a = 1\nb = [", "broken.json": "[\n{\"RuleID\": }",
		"pass": "three words\n", "unknown.tmpl": "{{ range . }}{{ .Nope }}{{ end }}", "broken.tmpl": "{{ range . }}",
	} {
		if err := os.WriteFile(b.dir+"/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.gitIn(b.dir, "init", "-q", "repo")
	return b
}

// TestMessagesNameTheInput: a refusal says which flag or argument it is about,
// and what would do; it does not repeat what was typed.
func TestMessagesNameTheInput(t *testing.T) {
	messageBox(t).refuse([]refusal{
		{"dir not-here", []string{"PATH", "no such file or folder in "}},
		{"dir file/x", []string{"PATH", "file is a file"}},
		{"home --dir not-here", []string{"--dir", "no such file"}},
		{"home --dir file", []string{"--dir names a file", "revenant dir"}},
		{"dir -c not-here", []string{"--config", "no such file in "}},
		{"dir -c home", []string{"--config names a folder", "give a regular file"}},
		{"dir -c broken.toml", []string{"--config", "TOML", "line 2"}},
		{"dir -c binary", []string{"--config", "TOML", "line 1"}},
		{"dir -b binary", []string{"--baseline-path", "neither a baseline"}},
		{"dir -b pass -b broken.json", []string{"--baseline-path number"}},
		{"dir -b broken.json", []string{"--baseline-path", "line 2"}},
		{"dir -i not-here", []string{"--gitleaks-ignore-path", "no such file"}},
		{"dir -r json:not-here/x", []string{"--report-path", "no such folder in "}},
		{"dir -r json:home", []string{"--report-path names a folder"}},
		{"dir -r x.unknown", []string{"--report-path", "FORMAT:PATH", "sarif"}},
		{"dir -f nope", []string{"--report-format is one of", "sarif"}},
		{"dir -f template --report-template unknown.tmpl", []string{"--report-template", "Nope"}},
		{"dir -f template --report-template broken.tmpl", []string{"--report-template", "report:1"}},
		{"dir --workers x", []string{"--workers", "a whole number"}},
		{"dir --only nope", []string{"--only is registered or generic"}},
		{"dir --rules nope", []string{"--rules is gitleaks, all or wide"}},
		{"dir --fail-on nope", []string{"--fail-on", "critical", "leaked", "none"}},
		{"dir --source ../src", []string{"--source", "KIND:PLACE"}},
		{"dir --enable-rule nope", []string{"--enable-rule", "revenant rules list"}},
		{"git not-here", []string{"PATH", "no such folder in "}},
		{"git file", []string{"PATH", "a file", "revenant dir"}},
		{"git ftp://example.org/x", []string{"PATH", "use https"}},
		{"git repo --since-commit nope", []string{"--since-commit: git knows no such commits"}},
		{"git repo --log-opts=--nope", []string{"--log-opts: git knows no such commits"}},
		{"dir -c pattern.toml", []string{"--config", "regex of the rule \"two\"", "missing closing ]"}},
		{"git", []string{"the current folder", "revenant dir"}},
		{"git --repos-from home", []string{"--repos-from names a folder"}},
		{"git --repos-from not-here", []string{"--repos-from", "no such file in "}},
		{"git --repos-from empty", []string{"--repos-from", "one PATH or URL a line"}},
		{"git --repos-from binary", []string{"--repos-from", "binary, line 1"}},
		{"git --recursive out", []string{"--recursive", "below it", "revenant dir"}},
		{"secret supersede a/b@1 --window 1", []string{"--window", "a duration, as in 24h"}},
		{"secret supersede a/b@9", []string{"a/b has 1 version:", "revenant secret show NAME"}},
		{"secret show c@9", []string{"c has 2 versions:", "revenant secret show NAME"}},
		{"secret show a@b@c", []string{"NAME: ", "NAME@N"}},
		{"secret show nobody", []string{"no such secret", "revenant secret list"}},
		{"secret add a", []string{"the value from standard input is empty", "--file FILE"}},
		{"secret add a --file home", []string{"--file", "give a regular file"}},
		{"secret add a --file empty", []string{"--file is empty"}},
		{"secret add a --field p=- --field q=-", []string{"--field number 2", "standard input is read once"}},
		{"secret add a --field p=file --field p=file", []string{"--field number 2", "p is given twice"}},
		{"secret add a --class nope", []string{"--class is one of application"}},
		{"secret rotate nobody", []string{"no such secret"}},
		{"secret adopt abcd --name x --file -", []string{"no such finding"}},
		{"secret issue x --prefix X", []string{"--prefix: use 2 to 12"}},
		{"secret issue x --consumer a!", []string{"--consumer: not a valid name"}},
		{"secret allow a/b --path x", []string{"--reason: say why"}},
		{"secret allow a/b --reason x --until 2020-01-01", []string{"--until lies in the past"}},
		{"secret import home", []string{"FILE", "give a file, or - for standard input"}},
		{"secret import empty", []string{"FILE holds no record", "--format"}},
		{"secret import file --format nope", []string{"--format is one of jsonl"}},
		{"findings list --secret nobody", []string{"--secret: no such secret"}},
		{"findings list --secret a/b@2", []string{"--secret: a/b has 1 version:"}},
		{"findings export --source dir:/nowhere", []string{"--source: no such source", "revenant source list"}},
		{"findings list --verdict nope", []string{"--verdict is one of", "leaked"}},
		{"findings list --status nope", []string{"--status is one of open"}},
		{"prove a/b@1 --accept-skip nope", []string{"--accept-skip", "symlink"}},
		{"prove --verify file --public-key file", []string{"--public-key", "64 hex digits"}},
		{"source move x y", []string{"TO: write KIND:PLACE"}},
		{"audit verify --against file", []string{"--against", "checkpoint"}},
		{"pack inspect home", []string{"FILE", "give a regular file"}},
		{"pack export --out p --key-out ./p", []string{"--out and --key-out name one file"}},
		{"pack export --out p --audience nope", []string{"--audience is one of edge, core"}},
		{"pack verify file --pack-key not-here", []string{"--pack-key", "no such file"}},
		{"key backup --out k --passphrase-file empty", []string{"--passphrase-file", "first line is empty"}},
		{"key restore file --identity file", []string{"--identity", "age-keygen"}},
		{"migrate file", []string{"PATH is no folder"}},
		{"--home file status", []string{"--home names a file", "revenant init"}},
		{"--home file init", []string{"--home names a file", "revenant init"}},
		{"--home file/below dir .", []string{"--home names a file", "revenant init"}},
		{"detect -s", []string{"--source needs a value"}},
	})
}

// TestMessagesOfRanges: numbers, durations, dates and patterns that can mean
// nothing are refused before anything is done.
func TestMessagesOfRanges(t *testing.T) {
	b := messageBox(t)
	const huge = "99999999999999999999999999"
	for _, c := range []struct{ command, flag, low, high string }{
		{"dir", "workers", "-1", "100000"},
		{"git", "workers", "-1", "100000"},
		{"dir", "exit-code", "-1", "256"},
		{"dir", "max-archive-depth", "-1", "101"},
		{"stdin", "max-decode-depth", "-1", "101"},
		{"dir", "timeout", "-1", "18446744074"},
		{"dir", "max-target-megabytes", "-1", "17592186044417"},
		{"findings list", "limit", "-1", huge},
		{"findings export", "limit", "-1", huge},
		{"secret list", "limit", "-1", huge},
		{"audit list", "from", "0", huge},
		{"secret unallow a/b", "id", "0", huge},
		{"secret rotate a/b", "window", "-1h", "9999999h"},
		{"secret supersede a/b@1", "window", "-1s", "9999999h"},
		{"secret activate a/b@1", "window", "-1ns", "9999999h"},
		{"pack export --out x", "expires", "-1h", "9999999h"},
	} {
		for _, value := range []string{c.low, c.high, "nonsense"} {
			b.refuse([]refusal{{c.command + " --" + c.flag + "=" + value, []string{"--" + c.flag}}})
		}
	}
	b.refuse([]refusal{
		{"dir --exclude x --exclude [", []string{"--exclude number 2 is not a valid glob"}},
		{"home --exclude {a", []string{"--exclude is not a valid glob"}},
		{"findings list --path [", []string{"--path is not a valid glob"}},
		{"findings export --path [", []string{"--path is not a valid glob"}},
		{"secret allow a/b --reason x --path [", []string{"--path is not a valid glob"}},
		{"secret allow a/b --reason x --source [", []string{"--source is not a valid glob"}},
		{"dir --write-baseline x --baseline-until 2020-01-01", []string{"--baseline-until lies in the past"}},
		{"dir --write-baseline x --baseline-until soon", []string{"--baseline-until is a day"}},
		{"dir ''", []string{"argument 1", "is empty"}},
		{"source move a ''", []string{"argument 2", "is empty"}},
		{"dir --pack ''", []string{"--pack is empty"}},
		{"--home '' status", []string{"--home is empty"}},
		{"git --recursive x --recursive ''", []string{"--recursive number 2 is empty"}},
	})
	b.must(0, "", "secret", "list", "--after", "")
	b.must(0, "", "dir", "home", "--workers", "0", "--timeout", "0", "--max-target-megabytes", "0", "--max-archive-depth", "0", "--max-decode-depth", "0")
}

// TestMessagesOfPairs: of two flags none wins silently over the other.
func TestMessagesOfPairs(t *testing.T) {
	b := messageBox(t)
	both := func(line string, flags ...string) refusal { return refusal{line, flags} }
	b.refuse([]refusal{
		both("key backup --out k --passphrase-file pass --recipient age1x", "--passphrase-file", "--recipient"),
		both("key registrar --out k --passphrase-file pass --recipient age1x", "--passphrase-file", "--recipient"),
		both("key restore file --passphrase-file pass --identity file", "--passphrase-file", "--identity"),
		both("key verify --passphrase-file pass", "--passphrase-file", "--backup"),
		both("init --passphrase-file pass", "--passphrase-file", "--backup-file"),
		both("init --recipient age1x", "--recipient", "--backup-file"),
		both("secret rotate a/b --generate --file pass", "--generate", "--file"),
		both("secret rotate a/b --generate --field x=pass", "--generate", "--field"),
		both("secret rotate a/b --file pass --prefix abc", "--prefix", "--generate"),
		both("secret add x --file pass --field x=pass", "--file", "--field"),
		both("dir --json -f csv", "--json", "--report-format"),
		both("dir --json -r x.csv", "--json", "--report-path"),
		both("dir --quiet --progress", "--quiet", "--progress"),
		both("dir --resume --no-store", "--resume", "--no-store"),
		both("dir --resume --pack file --pack-key file", "--resume", "--pack"),
		both("stdin --pack-key file", "--pack-key", "--pack"),
		both("dir --pack file --only generic", "--pack", "--only generic"),
		both("dir --only registered --rules wide", "--only registered", "--rules"),
		both("dir --only registered --enable-rule x", "--only registered", "--enable-rule"),
		both("dir --only registered -c file", "--only registered", "--config"),
		both("dir --baseline-owner x", "--baseline-owner", "--write-baseline"),
		both("dir --baseline-until never", "--baseline-until", "--write-baseline"),
		both("dir --no-baseline -b file", "--no-baseline", "--baseline-path"),
		both("git --staged --since-commit x", "--staged", "--since-commit"),
		both("git --pre-commit --log-opts x", "--pre-commit", "--log-opts"),
		both("git a b --staged", "--staged", "one PATH"),
		both("git a b --source git:x", "--source", "one"),
		both("prove a/b@1 --verify file", "--verify", "NAME@N"),
		both("prove --verify file --out x", "--verify", "--out"),
		both("prove --verify file --accept-skip all", "--verify", "--accept-skip"),
		both("prove a/b@1 --public-key file", "--public-key", "--verify"),
		both("pack export --out p --audience core --group g", "--group", "edge"),
		both("pack export --out p --audience core --key-out k", "--key-out", "edge"),
	})
}

// TestMessagesOfUnknownWords: a mistyped command or flag is told what is near,
// and no word is ignored or repeated.
func TestMessagesOfUnknownWords(t *testing.T) {
	newBox(t).refuse([]refusal{
		{"secrt list", []string{"no such command", "did you mean 'revenant secret'"}},
		{"secret lsit", []string{"did you mean 'revenant secret list'"}},
		{"findings lis", []string{"did you mean 'revenant findings list'"}},
		{"scan .", []string{"did you mean 'revenant dir'"}},
		{"home/..", []string{"'revenant dir PATH'"}},
		{"completion tcsh", []string{"no such command", "revenant completion --help"}},
		{"completion bash x", []string{"takes no arguments"}},
		{"help secrt", []string{"did you mean 'revenant secret'"}},
		{"help secret lsit", []string{"did you mean 'revenant secret list'"}},
		{"help secret list more", []string{"'revenant secret list' has no commands"}},
		{"environment x", []string{"'revenant environment' takes no arguments"}},
		{"exit-codes x", []string{"'revenant exit-codes' takes no arguments"}},
		{"version x", []string{"'revenant version' takes no arguments"}},
		{"dir --wokers 3", []string{"no such flag", "did you mean --workers"}},
		{"stdin --resume", []string{"no flag --resume", "'revenant dir' has"}},
		{"dir --zzzzzz", []string{"'revenant dir' has no such flag", "revenant dir --help"}},
		{"dir -Z", []string{"'revenant dir' has no such flag", "revenant dir --help"}},
	})
	for _, line := range []string{"frobnicate", "secret frobnicate", "help frobnicate", "--frobnicate", "environment frobnicate"} {
		if r := newBox(t).must(2, "", strings.Fields(line)...); strings.Contains(r.stderr, "frobnicate") || strings.Contains(r.stderr, "did you mean") {
			t.Errorf("%s: %s", line, r.stderr)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"list", "show", "dir", "workers", "status", "secret"}
	for word, want := range map[string]string{
		"lst": "list", "lsit": "list", "lists": "list", "sho": "show", "dri": "dir", "wokers": "workers", "stauts": "status",
		"secrets": "secret", "sec": "secret", "nope": "", "": "", "x": "", "git": "", "workhorse": "", strings.Repeat("list", 100): "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

// TestTablesOfFlags: what the tables of ranges and pairs name is there.
func TestTablesOfFlags(t *testing.T) {
	flags, commands := map[string]bool{}, map[string]bool{"": true}
	everyCommand(newApp().rootCommand(), func(c *cobra.Command) {
		commands[strings.TrimPrefix(c.CommandPath(), "revenant ")] = true
		for name := range valueNames() {
			flags[name] = flags[name] || c.Flags().Lookup(name) != nil
		}
		for _, p := range append(clashing(), needing()...) {
			for _, name := range []string{p.flag, p.other} {
				flags[name] = flags[name] || c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil
			}
		}
	})
	for name := range ranges() {
		if !flags[name] {
			t.Errorf("a range of --%s, which is no flag", name)
		}
	}
	for _, p := range append(clashing(), needing()...) {
		if !flags[p.flag] || !flags[p.other] || !commands[p.command] || p.why == "" {
			t.Errorf("%+v names what is not there", p)
		}
	}
}
