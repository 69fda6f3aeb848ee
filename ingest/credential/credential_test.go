package credential_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/ingest/credential"
)

// canary stands for a credential; in pieces, so that a scan of this file is quiet.
const canary = "cred" + "-1b7Xq0" + "zK44pW"

// TestMain makes the test program the commands that the tests start.
func TestMain(m *testing.M) {
	switch os.Getenv("CREDENTIAL_TEST_ACT") {
	case "print":
		fmt.Println(strings.Join(os.Args[1:], "|"))
		os.Exit(0)
	case "fail":
		fmt.Println(canary)
		fmt.Fprintln(os.Stderr, canary)
		os.Exit(3)
	case "endless":
		for {
			fmt.Println(strings.Repeat(canary, 100))
		}
	case "hang":
		time.Sleep(time.Minute)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func self(t *testing.T, act string) string {
	t.Helper()
	t.Setenv("CREDENTIAL_TEST_ACT", act)
	return "command:'" + os.Args[0] + "'"
}

func parse(t *testing.T, text string) credential.Ref {
	t.Helper()
	ref, err := credential.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestParse(t *testing.T) {
	for text, ok := range map[string]bool{
		"env:SLACK_URL": true, "env:_a1": true, "file:/run/secrets/x": true, "file:C:\\x": true, "file:~": true,
		"command:pass show x": true, `command:"/opt/my tools/get" 'a b'`: true, "command:x ''": true,
		"": false, "env": false, "env:": false, "env:1A": false, "env:A-B": false, "env:A B": false, "file:": false,
		"command:": false, "command:  ": false, "command:''": false, "command:x 'y": false, "Env:A": false,
		"https://hooks.example/" + canary: false, canary: false, "file:a\nb": false, "file:\xff": false, "env:É": false,
		"file:" + strings.Repeat("x", 5000): false,
	} {
		ref, err := credential.Parse(text)
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if ok && ref.String() != text {
			t.Errorf("%q became %q", text, ref)
		}
		if !ok && (!errors.Is(err, credential.ErrNotARef) || strings.Contains(err.Error(), canary) || !ref.IsZero()) {
			t.Errorf("%q: %v, %v", text, err, ref)
		}
	}
}

func TestText(t *testing.T) {
	var in struct{ A, B credential.Ref }
	if err := json.Unmarshal([]byte(`{"A":"env:X","B":""}`), &in); err != nil {
		t.Fatal(err)
	}
	if in.A != parse(t, "env:X") || !in.B.IsZero() {
		t.Errorf("read %+v", in)
	}
	out, err := json.Marshal(in)
	if err != nil || string(out) != `{"A":"env:X","B":""}` {
		t.Errorf("written %s, %v", out, err)
	}
	err = json.Unmarshal([]byte(`{"A":"`+canary+`"}`), &in)
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("a credential in place of a reference: %v", err)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"token": canary + "\n", "windows": canary + "\r\n", "lines": "a\nb\n\n", "none": "", "newline": "\n", "long": strings.Repeat("x", 101), "full": strings.Repeat("x", 100),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"SET": canary, "EMPTY": "", "LONG": strings.Repeat("x", 101)}
	r := credential.Resolver{Dir: dir, MaxBytes: 100, Lookup: func(name string) (string, bool) { v, has := env[name]; return v, has }}
	for text, want := range map[string]string{
		"env:SET": canary, "file:token": canary, "file:" + filepath.Join(dir, "token"): canary, "file:windows": canary, "file:lines": "a\nb\n", "file:full": strings.Repeat("x", 100),
		"env:EMPTY": "", "env:NOT": "", "env:LONG": "", "file:none": "", "file:newline": "", "file:long": "", "file:absent": "", "file:.": "",
	} {
		got, err := r.Resolve(t.Context(), parse(t, text))
		if string(got.Reveal()) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, got.Reveal(), err)
		}
		if err != nil && !errors.Is(err, credential.ErrUnresolved) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := r.Resolve(t.Context(), credential.Ref{}); !errors.Is(err, credential.ErrUnresolved) {
		t.Errorf("the zero reference: %v", err)
	}
	if _, err := r.Resolve(t.Context(), parse(t, "file:absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

func TestCommand(t *testing.T) {
	ref := parse(t, self(t, "print")+` a "b c" 'd"e' x'y z'w "" $HOME *`)
	got, err := credential.Resolver{}.Resolve(t.Context(), ref)
	if want := `a|b c|d"e|xy zw||$HOME|*`; err != nil || string(got.Reveal()) != want {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
}

func TestCommandFails(t *testing.T) {
	for act, said := range map[string]string{"fail": "exit status 3", "endless": "longer than", "hang": "did not end"} {
		t.Run(act, func(t *testing.T) {
			r := credential.Resolver{Timeout: 5 * time.Second}
			if act == "hang" {
				r.Timeout = 50 * time.Millisecond
			}
			_, err := r.Resolve(t.Context(), parse(t, self(t, act)))
			if !errors.Is(err, credential.ErrUnresolved) || !strings.Contains(err.Error(), said) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, err := credential.Resolver{}.Resolve(t.Context(), parse(t, "command:no-such-program-here"))
	if !errors.Is(err, credential.ErrUnresolved) || !strings.Contains(err.Error(), "no such program") {
		t.Errorf("an absent program: %v", err)
	}
}

func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, text := range []string{"env:X", self(t, "hang")} {
		if _, err := (credential.Resolver{}).Resolve(ctx, parse(t, text)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"env:A", "file:/x", `command:a "b c" 'd'`, "", ":", "command:'", canary} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := credential.Parse(text)
		if err != nil {
			if len(text) > 7 && strings.Contains(err.Error(), text) && !strings.Contains(credential.ErrNotARef.Error(), text) {
				t.Errorf("the error holds %q: %v", text, err)
			}
			return
		}
		again, err := credential.Parse(ref.String())
		if err != nil || again != ref {
			t.Errorf("%q: %v, %v", text, again, err)
		}
	})
}
