package hook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Format is the version of the scripts.
const Format = 1

// kept is what a hook that was there before is called behind its own name.
const kept = ".before-revenant"

// kind is whose hook a script is.
type kind string

const (
	ofRepository kind = "repository"
	ofMachine    kind = "machine"
)

// Settings are what a hook is told for good. Paths are absolute.
type Settings struct {
	Program   string
	Pack      string // "": the scanner's own default
	PackKey   string // likewise
	OnBadPack BadPack
}

// chain is what a hook of the machine passes on to.
type chain struct {
	former string // folder of hooks; "" the repository's own
	// fallback: former is another's setting, which may go; the repository's own
	// hooks are run where it has gone.
	fallback bool
}

// script is one hook as it is written.
type script struct {
	kind  kind
	name  string
	scans bool
	Settings
	chain chain
	husky bool // the kept hook tells by its own name which one it is
}

// quote writes s as one word of sh.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unquote is the reverse; false for what quote does not write.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	inner := strings.ReplaceAll(s[1:len(s)-1], `'\''`, "\x00")
	if strings.Contains(inner, "'") {
		return "", false
	}
	return strings.ReplaceAll(inner, "\x00", "'"), true
}

// check refuses what a line of a script cannot hold.
func (s Settings) check() error {
	for _, v := range []string{s.Program, s.Pack, s.PackKey} {
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("%w: a path with a line break or a control character", ErrSetting)
		}
	}
	return nil
}

func setting(b *strings.Builder, name, value string) {
	fmt.Fprintf(b, "%s=%s\n", name, quote(value))
}

// marshal is the script's text.
func (s script) marshal() []byte {
	var b strings.Builder
	b.WriteString(s.comment())
	if s.scans {
		setting(&b, "program", s.Program)
		setting(&b, "pack", s.Pack)
		setting(&b, "pack_key", s.PackKey)
		setting(&b, "on_bad_pack", string(s.OnBadPack))
	}
	if s.kind == ofMachine {
		setting(&b, "former", s.chain.former)
	}
	b.WriteString("\n")
	if s.scans {
		b.WriteString(s.finding())
	}
	b.WriteString(s.next())
	b.WriteString(s.doing())
	body := b.String()
	return fmt.Appendf(nil, "#!/bin/sh\n%s%s\n%s", s.mark(), sum(s.mark(), []byte(body)), body)
}

func (s script) mark() string {
	return fmt.Sprintf("# revenant-hook %d %s %s ", Format, s.kind, s.name)
}

// sum tells a script that was changed by hand.
func sum(mark string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(strings.TrimSuffix(strings.TrimPrefix(mark, "# revenant-hook "), " ") + "\n"))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (s script) comment() string {
	switch {
	case s.kind == ofRepository:
		return `# Scans what is about to leave, then runs the hook that was here before.
# Change its settings with "revenant hook install", take it away with
# "revenant hook uninstall"; not here.
`
	case s.scans:
		return `# Scans what is about to leave in every repository of this machine, then runs
# the repository's own hook, which core.hooksPath hides. Change its settings
# with "revenant hook install", take it away with "revenant hook uninstall".
`
	}
	return `# Runs the repository's own hook, which core.hooksPath hides.
`
}

// finding looks for the program, and says how to go on where it is not.
func (s script) finding() string {
	var b strings.Builder
	b.WriteString(`[ -x "$program" ] || program=$(command -v revenant) || program=
if [ -z "$program" ]; then
	echo "revenant: the program is neither where it was when this hook was installed, nor on the PATH." >&2
	echo "revenant: install it, then run: revenant hook install" >&2
`)
	if way := around(s.name); way != "" {
		fmt.Fprintf(&b, "\techo \"revenant: to go around all hooks once: %s\" >&2\n", way)
	}
	b.WriteString(`	[ "$on_bad_pack" = warn ] || exit 3
	echo "revenant: nothing was scanned; it is let through since on_bad_pack is warn." >&2
fi

`)
	return b.String()
}

// next says where the hook is that runs after ours.
func (s script) next() string {
	if s.kind == ofRepository {
		return fmt.Sprintf(`case $0 in */*) here=${0%%/*} ;; *) here=. ;; esac
next=$here/%s%s
`, s.name, kept)
	}
	own := fmt.Sprintf("$(git rev-parse --git-common-dir)/hooks/%s", s.name)
	switch {
	case s.chain.former == "":
		return fmt.Sprintf("next=%s\n", own) + notItself
	case s.chain.fallback:
		return fmt.Sprintf("next=$former/%s\n[ -d \"$former\" ] || next=%s\n", s.name, own) + notItself
	}
	return fmt.Sprintf("next=$former/%s\n", s.name) + notItself
}

// notItself ends a chain that a link leads back to its begin.
const notItself = "[ \"$next\" -ef \"$0\" ] && next=\n"

// doing is the work: scan, then run what is next.
func (s script) doing() string {
	run := `"$next" "$@"`
	if s.husky { // its scripts go by the name that they are called by
		run = fmt.Sprintf(`sh -c '. "$0%s"' "$here/%s" "$@"`, kept, s.name)
	}
	if !s.scans {
		return "[ -x \"$next\" ] || exit 0\nexec " + run + "\n"
	}
	scan := fmt.Sprintf(`"$program" hook run %s%s -- "$@"`, s.name, s.flags())
	var b strings.Builder
	feed := ""
	if reading(s.name) {
		// Both get all of the input; the dot keeps its last line breaks.
		b.WriteString("input=$(cat; echo .)\ninput=${input%.}\n")
		feed = `printf %s "$input" 2>/dev/null | `
	}
	fmt.Fprintf(&b, `if [ -n "$program" ] && [ "${REVENANT_HOOK_RAN-}" != "%s $PPID" ]; then
	%s%s || exit
fi
[ -x "$next" ] || exit 0
`, s.name, feed, scan)
	if s.kind == ofMachine {
		fmt.Fprintf(&b, "REVENANT_HOOK_RAN=\"%s $$\"\nexport REVENANT_HOOK_RAN\n", s.name)
	}
	fmt.Fprintf(&b, "%s%s\n", feed, run)
	return b.String()
}

func (s script) flags() string {
	var b strings.Builder
	if s.Pack != "" {
		b.WriteString(` --pack "$pack"`)
	}
	if s.PackKey != "" {
		b.WriteString(` --pack-key "$pack_key"`)
	}
	b.WriteString(` --on-bad-pack "$on_bad_pack"`)
	return b.String()
}

// parsed is a script as it was found.
type parsed struct {
	format  int
	kind    kind
	name    string
	changed bool // by hand
	scans   bool
	Settings
	former string
}

// parse reads a script of any format; false: it is not ours.
func parse(text []byte) (parsed, bool) {
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	line, body, _ := bytes.Cut(rest, []byte("\n"))
	words := strings.Split(strings.TrimSuffix(string(line), "\r"), " ")
	if len(words) != 6 || words[0] != "#" || words[1] != "revenant-hook" {
		return parsed{}, false
	}
	format, err := strconv.Atoi(words[2])
	if err != nil || format < 1 {
		return parsed{}, false
	}
	p := parsed{format: format, kind: kind(words[3]), name: words[4]}
	p.changed = !bytes.HasPrefix(text, []byte("#!/bin/sh\n")) || sum(strings.Join(words[:5], " ")+" ", body) != words[5]
	for line := range strings.Lines(string(body)) {
		p.read(strings.TrimRight(line, "\r\n"))
	}
	return p, true
}

func (p *parsed) read(line string) {
	name, value, _ := strings.Cut(line, "=")
	v, ok := unquote(value)
	if !ok {
		return
	}
	switch name {
	case "program":
		p.scans, p.Program = true, v
	case "pack":
		p.Pack = v
	case "pack_key":
		p.PackKey = v
	case "on_bad_pack":
		p.OnBadPack = BadPack(v)
	case "former":
		p.former = v
	}
}
