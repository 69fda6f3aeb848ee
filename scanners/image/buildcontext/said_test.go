package buildcontext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners/image/buildcontext"
)

// said are the texts that a Dockerfile puts into its image: presence, path, text.
func said(t *testing.T, file string, args ...buildcontext.Arg) (out []string) {
	t.Helper()
	items, _, _ := read(t, newSource(t, buildcontext.Options{Root: folder(t, map[string]string{"Dockerfile": file}), Args: args}))
	for _, it := range items {
		if it.Path[0] == '@' {
			out = append(out, string(it.Presence[:1])+" "+strings.TrimSpace(it.Path+" "+it.Locator)+": "+it.Text)
		}
	}
	return out
}

func TestSaid(t *testing.T) {
	cases := []struct {
		name, file string
		args       []buildcontext.Arg
		want       []string
	}{
		{"environment", "FROM x\nENV A=1 B=\"two words\" C=th\\ ree\nENV OLD form of it\nENV D=$A-${B}-${none:-${A}}\n", nil, []string{
			"m @env/A line 2: A=1", "m @env/B line 2: B=two words", "m @env/C line 2: C=th ree", "m @env/D line 4: D=1-two words-1", "m @env/OLD line 3: OLD=form of it",
		}},
		{"one instruction sees what was before it", "FROM x\nENV A=1\nENV A=2 B=$A\nENV C='$A' D=\\$A E=$Z\n", nil, []string{
			"m @env/A line 2: A=1", "m @env/A line 3: A=2", "m @env/B line 3: B=1", "m @env/C line 4: C=$A", "m @env/D line 4: D=$A", "m @env/E line 4: E=$Z",
		}},
		{"labels", "FROM x\nLABEL a=1 \"b c\"=\"two\\\nlines\"\n", nil, []string{"m @label/a line 2: a=1", "m @label/b c line 2: b c=twolines"}},
		{"lines that go on", "FROM x\nENV A=on\\ \t\n# a comment\n\n  e\\\\\nRUN a && \\\n  b\n", nil, []string{"m @env/A line 2: A=on", "m @env/e\\ line 2: e\\=", "m @history line 6: a &&   b"}},
		{"backtick", "# escape=`\nFROM x\nENV P=C:\\a`\n\\b\n", nil, []string{`m @env/P line 3: P=C:\a\b`}},
		{"directive that comes too late", "# hello\n# escape=`\nFROM x\nENV P=a\\\nb\n", nil, []string{"m @env/P line 4: P=ab"}},
		{"commands", "FROM x\nCMD [\"a\", \"b c\"]\nENTRYPOINT run me\nSHELL [\"sh\"]\nHEALTHCHECK --timeout=3s CMD curl x\nMAINTAINER me\nUSER u\n", nil, []string{
			"m @author line 6: me", "m @command line 2: a\nb c", "m @entrypoint line 3: run me", "m @healthcheck line 5: --timeout=3s\nCMD curl x", "m @history line 7: u", "m @shell line 4: sh",
		}},
		{"here-documents", "FROM x\nRUN <<-A cat <<'B' > f\n\tone\n\tA\ntwo $X\nB\nCOPY <<EOF /etc/c\nthree\nEOF\nRUN [\"<<no\"]\nUSER y\n", nil, []string{
			"v @copy line 7: three\n", "m @history line 2: <<-A cat <<'B' > f\n\tone\n\ntwo $X\n", "m @history line 7: <<EOF /etc/c", "m @history line 10: <<no", "m @history line 11: y",
		}},
		{"here-document without an end", "FROM x\nRUN <<A\nFROM y\nENV Z=1\n", nil, []string{"m @history line 2: <<A\nFROM y\nENV Z=1\n"}},
		{"trigger", "FROM x\nONBUILD ENV A=1\nONBUILD RUN <<A\nx\nA\n", nil, []string{"m @onbuild line 2: ENV A=1", "m @onbuild line 3: RUN <<A\nx\n"}},
		{"arguments", "ARG G=g\nARG H=h\nFROM x:$G\nARG G\nARG A=a B C=$A\nRUN echo ${A}\n", []buildcontext.Arg{{"B", "given"}, {"H", "h2"}, {"Z", "unasked"}}, []string{
			"m @build-arg/A line 5: A=a", "m @build-arg/B: B=given", "m @build-arg/C line 5: C=a", "s @build-arg/G line 1: G=g", "s @build-arg/H line 2: H=h",
			"s @build-arg/H: H=h2", "s @build-arg/Z: Z=unasked", "m @history line 6: echo ${A}",
		}},
		{"stages", "FROM x AS b\nENV A=1\nARG T=2\nFROM y\nENV B=3\n", nil, []string{"s @build-arg/T line 3: T=2", "s @env/A line 2: A=1", "m @env/B line 5: B=3"}},
		{"stage on a stage", "FROM x AS b\nENV A=1\nFROM b\nENV B=$A\n", nil, []string{"m @env/A line 2: A=1", "m @env/B line 4: B=1"}},
		{"mark before the text, odd ends", "\xef\xbb\xbfFROM x\r\nenv A=1\r\n\r\nEnV B=2", nil, []string{"m @env/A line 2: A=1", "m @env/B line 4: B=2"}},
		{"cut and replaced", "FROM x\nENV A=abc B=${A#a} C=${A%c} D=${A/b/x} E=${A:?no} F=${A:+yes} G=${Q:+yes} H=${A\n", nil, []string{
			"m @env/A line 2: A=abc", "m @env/B line 2: B=${A#a}", "m @env/C line 2: C=${A%c}", "m @env/D line 2: D=${A/b/x}", "m @env/E line 2: E=${A:?no}", "m @env/F line 2: F=",
			"m @env/G line 2: G=", "m @env/H line 2: H=${A",
		}},
		{"what is no instruction", "hello\nFROM\nFROM x\nWHAT is this\nENV\nENV =\nCOPY\nARG\nONBUILD\n", nil, []string{"m @env/ line 6: =", "m @history line 4: is this"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := said(t, c.file, c.args...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAdded: what ADD takes from addresses is listed, what it copies is not.
func TestAdded(t *testing.T) {
	root := folder(t, map[string]string{"Dockerfile": "FROM x\nADD https://u:p@example.org/x.tgz git@example.org:a/b.git a.txt /\nCOPY https://example.org/no /\n", "a.txt": ""})
	items, skips, _ := read(t, newSource(t, buildcontext.Options{Root: root}))
	if len(skips) != 2 || skips[0].Path != "@add" || skips[0].Reason != fingerprints.SkipMissing || skips[0].Locator != "line 2" {
		t.Errorf("skips %v", skips)
	}
	for _, it := range items {
		if it.Path == "a.txt" && it.Presence != fingerprints.PresenceVisible {
			t.Errorf("a.txt is %s", it.Presence)
		}
	}
}

// TestImagesAreNamed: images that are no part of the context are told of, once each.
func TestImagesAreNamed(t *testing.T) {
	const are = " images that the build begins with or takes from are no part of the context, and not looked at: lines "
	for file, want := range map[string]string{
		"FROM scratch\nCOPY a /a\n": "",
		"FROM golang:1 AS build\nFROM build\nCOPY --from=build /a /a\nCOPY --from=0 /a /b\n":                                                       "1 image that the build begins with or takes from is no part of the context, and not looked at: line 1;",
		"ARG V=1\nFROM golang:${V}\nFROM golang:1\nCOPY --from=nginx:${V} /a /a\nRUN --mount=type=bind,from=alpine,source=/etc,target=/x cat /x\n": "3" + are + "2, 4, 5;",
		"FROM a\nFROM b\nFROM c\nFROM d\nFROM e\nFROM f\nFROM g\nFROM h\nFROM i\nFROM j\nFROM k\n":                                                 "11" + are + "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...;",
	} {
		_, _, notes := read(t, newSource(t, buildcontext.Options{Root: folder(t, map[string]string{"Dockerfile": file})}))
		said := strings.Join(notes, "\n")
		if !strings.HasPrefix(said, want) || want == "" && said != "" {
			t.Errorf("%q: %q, want %q", file, said, want)
		}
	}
}

// TestNotes: what is called like a secret is told of, without its name.
func TestNotes(t *testing.T) {
	for file, want := range map[string]int{
		"FROM scratch\nARG NPM_TOKEN=x\n": 1, "FROM scratch\nENV DB_PASSWORD=x\nENV API_KEY=$K\n": 1, "FROM scratch\nENV KEYBOARD=x\nARG TOKEN\n": 0, "FROM scratch\nENV MONKEY=1 AUTHOR=me\n": 0,
		"FROM scratch\nENV SECRET=$X\n": 0,
	} {
		_, _, notes := read(t, newSource(t, buildcontext.Options{Root: folder(t, map[string]string{"Dockerfile": file})}))
		if len(notes) != want {
			t.Errorf("%q: %q", file, notes)
		}
		for _, n := range notes {
			if strings.Contains(n, "TOKEN") || strings.Contains(n, "PASSWORD") {
				t.Errorf("a note names %q", n)
			}
		}
	}
}
