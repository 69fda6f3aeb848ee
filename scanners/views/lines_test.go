package views_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// prefixes are what stands before every line in some place.
func prefixes() map[string]func(i int, line string) string {
	at := func(format string) func(int, string) string {
		return func(i int, line string) string { return fmt.Sprintf(format, i%60, line) }
	}
	fixed := func(prefix string) func(int, string) string {
		return func(_ int, line string) string { return prefix + line }
	}
	return map[string]func(int, string) string{
		"github actions": at("2026-11-25T10:20:%02d.1234567Z %s"),
		"time":           at("[10:20:%02d] %s"),
		"syslog":         at("Nov 25 10:20:%02d host worker[123]: %s"),
		"klog":           at("I1125 10:20:%02d.123456    4321 file.go:99] %s"),
		"compose":        fixed("web_1  | "),
		"cri":            at("2026-11-25T10:20:%02d.123456789+01:00 stdout F %s"),
		"diff":           fixed("+"),
		"removed":        fixed("-"),
		"mail":           fixed("> "),
		"mail twice":     fixed("> > "),
		"slashes":        fixed("\t// "),
		"hash":           fixed("# "),
		"star":           fixed(" * "),
		"semicolon":      fixed("; "),
		"rem":            fixed("REM "),
		"cat -n":         func(i int, line string) string { return fmt.Sprintf("%6d\t%s", i+98, line) },
		"grep -n":        func(i int, line string) string { return fmt.Sprintf("%d: %s", i+8, line) },
		"jenkins":        at("[2026-11-25T10:20:%02d.123Z] %s"),
		"nanoseconds": func(i int, line string) string {
			return fmt.Sprintf("2026-11-25T10:20:30.%dZ %s", 1234567>>i, line)
		},
		"docker": func(i int, line string) string {
			return fmt.Sprintf(`{"log":"%s\n","stream":"stdout","time":"2026-11-25T10:20:%02d.123456789Z"}`, line, i%60)
		},
		"json": func(i int, line string) string {
			return fmt.Sprintf(`{"time":"2026-11-25T10:20:%02d.%dZ","level":"info","msg":"%s"}`, i%60, 123456789>>i, line)
		},
		"json, spaced": func(i int, line string) string {
			return fmt.Sprintf(`{"message": "%s", "span": "%032x", "n": %d}`, line, uint64(i+7)*0x9e3779b97f4a7c15, 8+i)
		},
		"json, with the lines' ends": func(i int, line string) string {
			return fmt.Sprintf(`{"log": "%s\n", "stream": "stdout", "n": %d}`, line, 8+i)
		},
		"json, behind a stamp": func(i int, line string) string {
			return fmt.Sprintf(`2026-11-25T10:20:%02d.123Z {"logger":"org.example.Shop","message":"%s","thread":"main"}`, i%60, line)
		},
		"docker, split": func(i int, line string) string {
			return fmt.Sprintf(`{"log":"%s","stream":"stdout","time":"2026-11-25T10:20:%02d.123456789Z"}`, line, i%60)
		},
	}
}

// prefixed puts a prefix before every line of a text.
func prefixed(text string, f func(int, string) string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = f(i, lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestPrefixed has a long value in base64, a private key, a value that a
// terminal broke, and a token, behind prefixes.
func TestPrefixed(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der}))
	plain, long := random(31, 90, base62), random(32, 300, base62)
	m := registeredMatcher(t, plain, long, armoured)
	rule := ruleMatcher(t)
	tok := token(33)
	for name, f := range prefixes() {
		t.Run(name, func(t *testing.T) {
			for what, text := range map[string]string{
				"key":    armoured,
				"base64": "start of it\n" + broken(64, "\n")(base64.StdEncoding.EncodeToString([]byte(long))) + "\nend of it",
				"raw":    "start of it\nkey: " + broken(40, "\n")(plain) + "\nend of it",
			} {
				content := "before\n" + prefixed(text, f) + "after\n"
				hits := scan(t, m, content, 0)
				if len(hits) != 1 {
					t.Errorf("%s: %d hits: %+v in\n%s", what, len(hits), hits, content)
				}
			}
			if hits := scan(t, rule, prefixed("it is\n"+tok[:24]+"\n"+tok[24:]+"\nno more", f), 0); name == "docker, split" && len(hits) != 1 {
				t.Errorf("token: %+v", hits)
			}
		})
	}
}

// TestListedLines has them as lists of lines hold what a program wrote.
func TestListedLines(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der}))
	long := random(34, 300, base62)
	m := registeredMatcher(t, long, armoured)
	for what, text := range map[string]string{
		"key":    armoured,
		"base64": "start of it\n" + broken(64, "\n")(base64.StdEncoding.EncodeToString([]byte(long))) + "\nend of it",
		"hex":    "start of it\n" + broken(60, "\n")(hex.EncodeToString([]byte(long))) + "\nend of it",
		"dump":   "start of it\n" + hex.Dump([]byte("k: "+long+"\n")) + "end of it",
	} {
		lines := strings.Split(text, "\n")
		for name, list := range map[string]string{
			"ansible": "ok: [a] => {\n    \"stdout_lines\": [\n        \"" + strings.Join(lines, "\",\n        \"") + "\"\n    ]\n}\n",
			"jupyter": "\"text\": [\n \"" + strings.Join(lines, "\\n\",\n \"") + "\"\n]\n",
			"python":  "['" + strings.Join(lines, "', '") + "']\n",
		} {
			if hits := scan(t, m, list, 0); len(hits) != 1 {
				t.Errorf("%s, %s: %d hits in\n%s", name, what, len(hits), list)
			}
		}
	}
	names := `{"first":"` + strings.Repeat("a1B2", 10) + `","second":"` + strings.Repeat("c3D4", 10) + `","third":1}`
	if hits := scan(t, m, names, 0); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
}

// TestJoinedKey has a private key written as string literals.
func TestJoinedKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE" + " KEY", Bytes: der}))
	m := registeredMatcher(t, armoured)
	lines := strings.Split(strings.TrimSuffix(armoured, "\n"), "\n")
	for name, sep := range map[string]string{
		"plus": "\\n\" +\n    \"", "plus first": "\\n\"\n    + \"", "adjacent": "\\n\"\n  \"", "list": "\",\n  \"", "list with breaks": "\\n\",\n  \"",
		"php": "\\n' .\n  '", "appended": "\\n\"\nkey += \"", "calls": "\\n\");\nb.append(\"", "concatenated": "\\n\" & vbCrLf & _\n \"",
	} {
		content := "var key = \"" + strings.Join(lines, sep) + "\\n\";\n"
		if hits := scan(t, m, content, 0); len(hits) != 1 || hits[0].Span.Len() < int64(len(armoured)/2) {
			t.Errorf("%s: %+v in\n%s", name, hits, content)
		}
	}
}

// TestEveryBreak breaks a value into two lines at every place.
func TestEveryBreak(t *testing.T) {
	v := random(41, 40, base62)
	m := registeredMatcher(t, v)
	for _, sep := range []string{"\n", "\r\n", "\n\t", "\\\n", "\r", "`\n    "} {
		for i := 1; i < len(v); i++ {
			content := "the key is key=" + v[:i] + sep + v[i:] + " and\nno more\n"
			hits := scan(t, m, content, 0)
			if len(hits) != 1 || hits[0].Span.Start != 15 || hits[0].Span.Len() != int64(len(v)+len(sep)) {
				t.Errorf("%q at %d: %+v", sep, i, hits)
			}
		}
	}
}
