package recall_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// logKind is a program that writes logs: what it makes of the text that a
// build wrote, with what it writes around.
type logKind struct {
	name  string
	write coder
	// escapes: the text does not stand there as it is.
	escapes bool
	// guessed: the lines of the text are broken, which only a matcher that
	// confirms what it finds may put together.
	guessed bool
	// unknown: no stamp is known for what stands before the lines.
	unknown bool
}

// stamper is what stands before line n of a log.
type stamper func(r *rand.Rand, n int) string

// clock is a time in the format of package time's numbers: hours, minutes and
// seconds that go on with the lines.
func clock(r *rand.Rand, n int) (h, m, s int) {
	at := 25_689 + 3*n + r.IntN(3)
	return at / 3600 % 24, at / 60 % 60, at % 60
}

// iso is a stamper of the times that most programs write, with some digits of
// the second's parts.
func iso(before string, digits int, after string) stamper {
	return func(r *rand.Rand, n int) string {
		h, m, s := clock(r, n)
		return fmt.Sprintf("%s2026-05-06T%02d:%02d:%02d.%0*dZ%s", before, h, m, s, digits, r.IntN(1_000), after)
	}
}

// hours is a stamper of times without a date.
func hours(before, after string) stamper {
	return func(r *rand.Rand, n int) string {
		h, m, s := clock(r, n)
		return fmt.Sprintf("%s%02d:%02d:%02d%s", before, h, m, s, after)
	}
}

// month is a stamper as syslog has it.
func month(after string) stamper {
	return func(r *rand.Rand, n int) string {
		h, m, s := clock(r, n)
		return fmt.Sprintf("May 06 %02d:%02d:%02d %s", h, m, s, after)
	}
}

func bare(*rand.Rand, int) string { return "" }

// chatter is what builds write: a line.
func chatter(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("go: downloading example.org/mod%d v1.%d.%d", r.IntN(90), r.IntN(30), r.IntN(9))
	case 1:
		return fmt.Sprintf("ok  \texample.org/shop/pkg%d\t0.%03ds", r.IntN(90), r.IntN(1000))
	case 2:
		return fmt.Sprintf("Step %d/12 : RUN make %s", 1+r.IntN(12), prose(r, 6))
	case 3:
		return fmt.Sprintf("\x1b[36;1mnpm\x1b[0m notice %s", prose(r, 30))
	case 4:
		return fmt.Sprintf("Digest: sha256:%x", random(r, 32))
	}
	return "INFO " + prose(r, 20+r.IntN(60))
}

// lineLog writes lines behind stamps. before and after are lines of the
// program itself; end ends lines.
type lineLog struct {
	stamp         stamper
	before, after []string
	end           string
	// more is what stands before the rest of a line of some bytes that is written
	// in parts, and part what stands before such a line then; 0: none is.
	size int
	more stamper
	part stamper
}

func (l lineLog) coder() coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		if !loggable(in) || l.size > 0 && !breakable(in) {
			return coded{}, false
		}
		end := l.end
		if end == "" {
			end = "\n"
		}
		var m maker
		n := 0
		tell := func(s string) {
			m.raw(l.stamp(r, n) + s + end)
			n++
		}
		m.raw("\ufeff"[:3*r.IntN(2)])
		for range 1 + r.IntN(3) {
			tell(chatter(r))
		}
		for _, s := range l.before {
			tell(s)
		}
		l.text(r, &m, &n, in, end)
		for _, s := range l.after {
			tell(s)
		}
		for range 1 + r.IntN(2) {
			tell(chatter(r))
		}
		return m.coded, true
	}
}

// text writes the lines of a text.
func (l lineLog) text(r *rand.Rand, m *maker, n *int, in []byte, end string) {
	for first := true; first || len(in) > 0; first = false {
		line, rest, broken := bytes.Cut(in, []byte("\n"))
		in = rest
		stamp := l.stamp
		fill := 0
		if l.size > 0 && len(line) > 1 && first && len(in) < 2 { // the part ends in what is looked for, which is one line
			fill = l.size - 1 - r.IntN(len(line)-1)%l.size
			stamp = l.part
		}
		m.raw(stamp(r, *n))
		*n++
		if fill > 0 {
			m.raw(prose(r, fill-1) + " ")
		}
		due := false
		for i, b := range line {
			due = due || l.size > 0 && i > 0 && (i+fill)%l.size == 0
			if due && utf8.RuneStart(b) && bytes.IndexByte(line[max(0, i-longestEscaped):i], '\\') < 0 {
				m.raw("\n" + l.more(r, *n))
				due = false
			}
			m.carry(1, string([]byte{b}))
		}
		if bytes.HasSuffix(line, []byte("\r")) {
			end = "\n"
		}
		if broken {
			m.carry(1, end)
		} else {
			m.raw(end)
		}
	}
}

// longestEscaped is how long an escape is behind its backslash: no part ends in one.
const longestEscaped = 5

// loggable reports whether programs log a text as it is.
func loggable(in []byte) bool { return utf8.Valid(in) && bytes.IndexByte(in, 0) < 0 }

// longestPart is how long a line is that is seen whole where it is broken: on
// both sides of the break.
const longestPart = 5 << 10

// breakable reports whether the lines of a text are short enough to be broken.
func breakable(in []byte) bool {
	return !slices.ContainsFunc(bytes.Split(in, []byte("\n")), func(line []byte) bool { return len(line) > longestPart })
}

// docker writes Docker's json-file: an object a line, and parts of longer ones.
func docker(size int) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		if !loggable(in) || size > 0 && !breakable(in) {
			return coded{}, false
		}
		var m maker
		behind := func() string {
			return fmt.Sprintf(`","stream":"%s","time":"2026-05-06T07:08:%02d.%09dZ"}`+"\n", []string{"stdout", "stderr"}[r.IntN(2)], r.IntN(60), r.IntN(1e9))
		}
		tell := func(s string) { m.raw(`{"log":"` + jsonText(s) + `\n` + behind()) }
		tell(chatter(r))
		for first := true; first || len(in) > 0; first = false {
			line, rest, broken := bytes.Cut(in, []byte("\n"))
			in = rest
			m.raw(`{"log":"`)
			fill := 0
			if size > 0 && len(line) > 1 && first && len(in) < 2 {
				fill = size - 1 - r.IntN(len(line)-1)%size
				m.raw(prose(r, fill-1) + " ")
			}
			for i := 0; i < len(line); {
				c, n := utf8.DecodeRune(line[i:])
				if size > 0 && i > 0 && (i+fill)/size > (i-1+fill)/size {
					m.raw(behind() + `{"log":"`)
				}
				m.carry(n, marshalled(c))
				i += n
			}
			if broken {
				m.carry(1, `\n`)
			} else {
				m.raw(`\n`)
			}
			m.raw(behind())
		}
		tell(chatter(r))
		return m.coded, true
	}
}

func jsonText(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.WriteString(marshalled(c))
	}
	return b.String()
}

// asMessage writes all of the text as one message of a log of records.
func asMessage(before, after string, escape coder) coder {
	inner := chain(escape, frame(before, after))
	return func(r *rand.Rand, in []byte) (coded, bool) {
		if !loggable(in) {
			return coded{}, false
		}
		lead := before + jsonText(chatter(r)) + after
		return chain(inner, frame(lead, lead))(r, in)
	}
}

// teamCity is the escaping of TeamCity's service messages.
func teamCity() coder {
	return eachRune(func(r rune) string {
		switch r {
		case '\n':
			return "|n"
		case '\r':
			return "|r"
		case '|', '\'', '[', ']':
			return "|" + string(r)
		}
		if r > 0x7e {
			return unicodeEscape("|0x%04x")(r)
		}
		return string(r)
	})
}

// gitlab are GitLab's stamps: a time, the stream, and whether the line goes on
// with the one before.
func gitlab(goesOn string) stamper {
	return func(r *rand.Rand, n int) string {
		return iso("", 6, " 0"+strconv.Itoa(n%40/39)+"O"+goesOn)(r, n)
	}
}

// note is a console note of Jenkins.
func note(r *rand.Rand) string {
	body := slices.Concat([]byte{0, 0, 0, 120}, random(r, 90))
	return "\x1b[8mha:////4" + base64.StdEncoding.EncodeToString(body) + "\x1b[0m"
}

func seq(list ...stamper) stamper {
	return func(r *rand.Rand, n int) string {
		s := ""
		for _, f := range list {
			s += f(r, n)
		}
		return s
	}
}

func fixed(s string) stamper { return func(*rand.Rand, int) string { return s } }

// logKinds lists the programs.
func logKinds() []logKind {
	plain := func(name string, l lineLog) logKind { return logKind{name: name, write: l.coder()} }
	azure := iso("", 7, " ")
	kinds := []logKind{
		plain("GitHub Actions", lineLog{stamp: azure, before: []string{"##[group]Run make deploy", "\x1b[36;1mmake deploy\x1b[0m", "shell: /usr/bin/bash -e {0}", "##[endgroup]"}, after: []string{"[command]/usr/bin/git version"}}),
		plain("Azure Pipelines", lineLog{stamp: azure, before: []string{"##[section]Starting: Deploy"}, after: []string{"##[section]Finishing: Deploy"}, end: "\r\n"}),
		plain("GitLab", lineLog{stamp: bare, before: []string{"section_start:1778051289:step_script[collapsed=true]\r\x1b[0K\x1b[0K\x1b[36;1mExecuting\x1b[0;m", "\x1b[32;1m$ make deploy\x1b[0;m"}, after: []string{"section_end:1778051299:step_script\r\x1b[0K"}}),
		plain("GitLab, stamped", lineLog{stamp: gitlab(" "), before: []string{"section_start:1778051289:step_script\r\x1b[0K\x1b[32;1m$ make deploy\x1b[0;m"}}),
		plain("GitLab, stamped, goes on", lineLog{stamp: gitlab(" "), size: 4 << 10, part: gitlab(" "), more: gitlab("+")}),
		plain("Jenkins", lineLog{stamp: bare, before: []string{"[Pipeline] { (Deploy)", "[Pipeline] sh", "+ make deploy"}, after: []string{"[Pipeline] }"}, end: "\r\n"}),
		plain("Jenkins, times", lineLog{stamp: hours("", "  "), before: []string{"[Pipeline] sh", "+ make deploy"}}),
		plain("Jenkins, dates", lineLog{stamp: iso("[", 3, "] "), before: []string{"[Pipeline] sh", "+ make deploy"}}),
		plain("Jenkins, notes", lineLog{stamp: func(r *rand.Rand, _ int) string { return note(r) }, before: []string{"[Pipeline] sh"}}),
		plain("Travis", lineLog{stamp: bare, before: []string{"travis_fold:start:script.1\r\x1b[0Ktravis_time:start:0a1b2c3d\r\x1b[0K$ make deploy"}, after: []string{"\r\x1b[0Ktravis_time:end:0a1b2c3d:start=1778051289,finish=1778051299,duration=9\r\x1b[0K"}, end: "\r\n"}),
		{name: "Docker json-file", write: docker(0), escapes: true},
		{name: "Docker json-file, 16 KB", write: docker(16 << 10), escapes: true},
		plain("CRI", lineLog{stamp: iso("", 9, " stdout F ")}),
		plain("CRI, 16 KB", lineLog{stamp: iso("", 9, " stderr F "), size: 16 << 10, part: iso("", 9, " stderr P "), more: iso("", 9, " stderr F ")}),
		plain("docker compose", lineLog{stamp: fixed("web-1  | ")}),
		plain("docker compose, coloured", lineLog{stamp: fixed("\x1b[36mweb-1  | \x1b[0m")}),
		plain("docker compose, times", lineLog{stamp: seq(fixed("web-1  | "), iso("", 9, " "))}),
		plain("docker buildx", lineLog{stamp: func(r *rand.Rand, n int) string { return fmt.Sprintf("#12 %d.%03d ", n/3, r.IntN(1000)) }, before: []string{"RUN make deploy"}}),
		plain("kubectl", lineLog{stamp: iso("", 9, " ")}),
		plain("kubectl, prefix", lineLog{stamp: fixed("[pod/shop-7c9f4d-x2x9k/app] ")}),
		plain("stern", lineLog{stamp: fixed("\x1b[32mshop-7c9f4d-x2x9k\x1b[0m \x1b[36mapp\x1b[0m ")}),
		plain("journal", lineLog{stamp: month("build-4 deploy[31337]: ")}),
		{name: "journal, JSON", write: asMessage(`{"__CURSOR":"s=1","PRIORITY":"6","MESSAGE":"`, `","_PID":"31337"}`+"\n", jsonString()), escapes: true},
		plain("ts", lineLog{stamp: month("")}),
		plain("kernel", lineLog{stamp: func(r *rand.Rand, n int) string { return fmt.Sprintf("[%5d.%06d] ", 12+n, r.IntN(1e6)) }}),
		plain("CircleCI", lineLog{stamp: bare, before: []string{"#!/bin/bash -eo pipefail", "make deploy"}, end: "\r\n"}),
		plain("Buildkite", lineLog{stamp: func(r *rand.Rand, n int) string { return fmt.Sprintf("\x1b_bk;t=17780512%02d%03d\a", n, r.IntN(1000)) }, before: []string{"~~~ Running commands", "\x1b[90m$\x1b[0m make deploy"}, end: "\r\n"}),
		plain("TeamCity", lineLog{stamp: func(r *rand.Rand, n int) string {
			return hours("[", "]"+string(" WEi"[n%40/10])+":\t [Step 1/2] ")(r, n)
		}}),
		{name: "TeamCity, messages", write: asMessage("##teamcity[message text='", "' status='NORMAL']\n", teamCity()), escapes: true},
		plain("sh -x", lineLog{stamp: bare, before: []string{"+ set -o pipefail", "++ date +%s"}, after: []string{"+ exit 0"}}),
		{name: "JSON lines", write: asMessage(`{"ts":"2026-05-06T07:08:09.123Z","level":"info","msg":"`, `","pod":"shop-7c9f"}`+"\n", jsonString()), escapes: true},
		{name: "JSON lines, twice", write: asMessage(`{"log":"{\"level\":\"info\",\"msg\":\"`, `\"}\n","stream":"stdout"}`+"\n", chain(jsonGo(), jsonGo())), escapes: true},
		{name: "logfmt", write: asMessage(`time=2026-05-06T07:08:09Z level=info msg="`, `" pod=shop-7c9f`+"\n", jsonString()), escapes: true},
	}
	return slices.Concat(kinds, plainerKinds(), wrappedKinds())
}

// plainerKinds are logs of programs that no stamp is known for, and what people put
// before lines.
func plainerKinds() (kinds []logKind) {
	clocked := func(format string) stamper {
		return func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf(format, h, m, s)
		}
	}
	for _, k := range []struct {
		name  string
		stamp stamper
	}{
		{"Go", clocked("2026/05/06 %02d:%02d:%02d ")},
		{"nginx", seq(clocked("2026/05/06 %02d:%02d:%02d [error] 12#12: *"), func(_ *rand.Rand, n int) string { return fmt.Sprintf("%d ", 98+n) })},
		{"klog", seq(clocked("I0506 %02d:%02d:%02d"), func(r *rand.Rand, _ int) string { return fmt.Sprintf(".%06d   12345 deploy.go:77] ", r.IntN(1e6)) })},
		{"Spark", clocked("26/05/06 %02d:%02d:%02d INFO Deploy: ")},
		{"Python", fixed("INFO:deploy:")},
		{"Python, times", clocked("2026-05-06 %02d:%02d:%02d,123 - deploy - INFO - ")},
		{"Ruby", clocked("I, [2026-05-06T%02d:%02d:%02d.123456 #12]  INFO -- : ")},
		{"Tomcat", clocked("06-May-2026 %02d:%02d:%02d.123 INFO [main] org.example.Deploy.run ")},
		{"Terraform", fixed("module.shop.null_resource.deploy (local-exec): ")},
		{"npm", fixed("npm ERR! ")},
		{"Heroku", clocked("2026-05-06T%02d:%02d:%02d.123456+00:00 app[web.1]: ")},
		{"syslog, RFC 5424", clocked("<134>1 2026-05-06T%02d:%02d:%02d.123Z host deploy 12 - - ")},
		{"Azure Pipelines, debugging", iso("", 7, " ##[debug]")},
		{"a difference", fixed("+")},
		{"a comment", fixed("# ")},
		{"a comment in a program", fixed("\t// ")},
		{"a quotation", fixed("> > ")},
	} {
		kinds = append(kinds, logKind{name: k.name, write: lineLog{stamp: k.stamp}.coder(), unknown: true})
	}
	return kinds
}

// wrappedKinds are logs of what a terminal broke.
func wrappedKinds() (kinds []logKind) {
	for _, width := range []int{80, 120} {
		kinds = append(kinds, logKind{name: fmt.Sprintf("stamped, broken at %d", width), write: prefixed(prefixes(), width), guessed: true})
	}
	return kinds
}

// unlogged reports whether a plant is left out of logs of a kind: what the page
// says is not planted.
func (k logKind) unlogged(w row, p plant) bool {
	docker := strings.HasPrefix(k.name, "Docker")
	several := p.pem || p.kind == "service account, 4 KB"
	switch {
	case w.group == "more" && (strings.HasSuffix(w.name, "Adobe, lines") || strings.HasSuffix(w.name, "RTF")):
		return true
	case w.group == "other" && strings.Contains(w.name, "quoted-printable"):
		return several || p.kind == "pass phrase" || p.value < 0
	case k.escapes && (strings.HasSuffix(w.name, "CRI log, split") || strings.HasSuffix(w.name, "json-file of Docker, split")):
		return true // a container's log in a record of another log
	case docker && (strings.HasSuffix(w.name, "a line break and blanks") || strings.HasSuffix(w.name, "log lines behind timestamps")):
		return true
	case p.pem && (strings.HasSuffix(w.name, "control sequences in JSON") || k.escapes && strings.HasSuffix(w.name, "character literals")):
		return true
	case k.unknown && (p.kind == "service account, 4 KB" || p.pem && strings.HasSuffix(w.name, "heredoc of echo") ||
		strings.HasSuffix(w.name, "uuencode") || strings.HasSuffix(w.name, "dump behind timestamps") || strings.Contains(w.name, ", a line break")):
		return true
	case k.guessed && w.group == "hex":
		return len(p.text) > 700
	}
	return k.escapes && strings.HasSuffix(w.name, "character literals") && p.at.to-p.at.from > longestPart || p.at.to-p.at.from > longestCopy
}

// longestCopy is how many bytes a copy of the longest value takes at the most.
const longestCopy = 32 << 10

// inLog is a row whose text a program logs; false where that makes no sense.
func (k logKind) inLog(w row) (row, bool) {
	if k.guessed && (w.group != "raw" && w.group != "base64" && w.group != "hex" || w.keys == onlyKeys || !w.exact) {
		return w, false
	}
	code := w.code
	if k.guessed {
		code = when(func(in []byte) bool { return bytes.IndexByte(in, '\n') < 0 }, plain())
		code = chain(code, w.code)
	}
	w.code = chain(code, k.write)
	w.exact = false
	w.sure = w.sure || k.guessed
	w.name = k.name + ", " + w.group + ", " + w.name
	return w, true
}
