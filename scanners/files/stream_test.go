package files_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/files"
	"revenant/scanners/sourcetest"
)

func TestStdin(t *testing.T) {
	sourcetest.Run(t, sourcetest.Subject{
		New: func(*testing.T, []byte) scanners.Source {
			return files.NewStdin(strings.NewReader("content"), "notes")
		},
		Want: map[string]string{"-": "content"},
	})
}

func ndjson(lines ...string) scanners.Source {
	return files.NewNDJSON(strings.NewReader(strings.Join(lines, "\n")), files.NDJSONOptions{SourceID: "ci:x:y/z"})
}

func TestNDJSON(t *testing.T) {
	sourcetest.Run(t, sourcetest.Subject{
		New: func(*testing.T, []byte) scanners.Source {
			return ndjson(
				"\xef\xbb\xbf"+`{"source":"chat:one","path":"room","text":"a\nb"}`,
				"",
				`{"path":"bytes","base64":"`+base64.StdEncoding.EncodeToString([]byte{0, 1, 255})+`"}`,
				`{"path":"url alphabet","base64":"`+base64.RawURLEncoding.EncodeToString([]byte{0xfb, 0xef, 0xff})+`"}`,
				`{"path":"extra","text":"t","author":"someone","n":{"k":[1,"v"]}}`+"\r",
				`{"path":"empty","text":""}`,
				`{"text":"no path"}`,
			)
		},
		Want: map[string]string{
			"room": "a\nb", "bytes": "\x00\x01\xff", "url alphabet": "\xfb\xef\xff",
			"extra": "tauthor: someone\nn: {\"k\":[1,\"v\"]}\n", "empty": "", "-": "no path",
		},
	})
}

func TestNDJSONSources(t *testing.T) {
	src := ndjson(
		`{"source":"https://user:pass@chat.example/room","path":"p","text":"x","time":"2026-01-02T03:04:05Z","url":"u"}`,
		`{"source":"kafka:c/t","path":"p","text":"x"}`,
		`{"path":"p","text":"x","time":"yesterday"}`,
	)
	b, err := src.Next(context.Background())
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	type row struct {
		Source, Locator, URL string
		Kind                 fingerprints.SourceKind
		Presence             fingerprints.Presence
		At                   time.Time
	}
	var got []row
	for _, it := range b.Items {
		got = append(got, row{it.SourceID, it.Locator, it.URL, scanners.KindOf(it.SourceID), it.Presence, it.At})
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := []row{
		{"https://chat.example/room", "2026-01-02T03:04:05Z", "u", fingerprints.KindOther, fingerprints.PresenceRetained, at},
		{"kafka:c/t", "line 2", "", fingerprints.KindKafka, fingerprints.PresenceRetained, time.Time{}},
		{"ci:x:y/z", "line 3", "", fingerprints.KindCI, fingerprints.PresenceRetained, time.Time{}},
		{"ci:x:y/z", "line 3@extra", "", fingerprints.KindCI, fingerprints.PresenceRetained, time.Time{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNDJSONBrokenLines(t *testing.T) {
	long := strings.Repeat("x", 3000)
	src := files.NewNDJSON(strings.NewReader(strings.Join([]string{
		`{"source":"s","path":"first","text":"ok"}`,
		`{"source":"s","text":"cut`,
		`["not an object"]`,
		`null`,
		`{"source":"s","path":"both","text":"a","base64":"YQ=="}`,
		`{"source":"s","path":"neither"}`,
		`{"source":"s","base64":"***"}`,
		`{"source":"s","text":7}`,
		`{"text":"no source"}`,
		"{\"source\":\"s\",\"text\":\"\xff\"}",
		`{"source":"s","text":"` + long + `"}`,
		`{"source":"s","text":"x"} {"source":"s","text":"y"}`,
		`{"source":"s","path":"last","text":"ok"}`,
	}, "\n")), files.NDJSONOptions{MaxLine: 2000})
	items, skips, _ := sourcetest.Drain(t, src)
	var paths []string
	for _, it := range items {
		paths = append(paths, it.Path)
	}
	if diff := cmp.Diff([]string{"first", "last"}, paths); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"line 2 bad-record not a JSON object",
		"line 3 bad-record not a JSON object",
		"line 4 bad-record not a JSON object",
		"line 5 bad-record both text and base64",
		"line 6 bad-record neither text nor base64",
		"line 7 bad-record base64 that does not decode",
		"line 8 bad-record a member that is not a string",
		"line 9 bad-record no source: give the record one, or use --source",
		"line 10 bad-record not UTF-8: put such bytes into base64",
		"line 11 too-large the line is too long",
		"line 12 bad-record not a JSON object",
	}
	var got []string
	for _, s := range skips {
		got = append(got, s.Locator+" "+string(s.Reason)+" "+s.Detail)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNDJSONReadError(t *testing.T) {
	r := io.MultiReader(strings.NewReader(`{"source":"s","path":"p","text":"ok"}`+"\n"), failing{})
	src := files.NewNDJSON(r, files.NDJSONOptions{})
	b, err := src.Next(context.Background())
	if len(b.Items) != 1 || reason(err) != fingerprints.SkipUnreadable || strings.Contains(err.Error(), "canary") {
		t.Errorf("%d items, %v", len(b.Items), err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("canary") }

// FuzzNDJSON: every line becomes items or one skip, whatever it holds, and a
// good line after it is still read.
func FuzzNDJSON(f *testing.F) {
	f.Add([]byte(`{"source":"s","path":"p","text":"x"}`))
	f.Add([]byte("{\"source\":\"s\",\"base64\":\"AA==\"}\n\n[\n{"))
	f.Add([]byte(`{"source":"http://[::1","text":"\ud800","time":"2026","url":null,"x":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		good, err := json.Marshal(map[string]string{"source": "s", "path": "after", "text": "ok"})
		if err != nil {
			t.Fatal(err)
		}
		src := files.NewNDJSON(strings.NewReader(string(data)+"\n"+string(good)), files.NDJSONOptions{MaxLine: 1 << 12})
		lines := 0
		for _, l := range strings.Split(strings.TrimPrefix(string(data), "\xef\xbb\xbf"), "\n") {
			if strings.TrimSpace(l) != "" {
				lines++
			}
		}
		items, skips, _ := sourcetest.Drain(t, src)
		if len(items) == 0 || items[len(items)-1].Path != "after" {
			t.Fatal("the last line was not read")
		}
		if len(items)+len(skips) < lines+1-1 || len(skips) > lines {
			t.Fatalf("%d lines became %d items and %d skips", lines, len(items), len(skips))
		}
	})
}

func TestHome(t *testing.T) {
	home, elsewhere := t.TempDir(), t.TempDir()
	want := map[string]string{}
	for _, p := range []string{
		".bash_history", ".psql_history", ".zshrc", ".aws/credentials", ".aws/sso/cache/x.json", ".config/gcloud/credentials.db",
		".azure/accessTokens.json", ".docker/config.json", ".kube/config", ".npmrc", ".pypirc", ".netrc", ".git-credentials",
		".ssh/id_ed25519", ".gnupg/private-keys-v1.d/k.key", ".config/gh/hosts.yml", ".bashrc~", "notes.txt.bak", ".env",
		".local/share/fish/fish_history", ".vault-token", ".terraform.d/credentials.tfrc.json", ".cargo/credentials.toml",
		".m2/settings.xml", "work/shop/api/.env", "work/shop/.env.production", "code/.envrc", "work/shop/.git/config", "server.pem",
		".mysql_history", ".python_history", ".emacs.d/init.el", "a/b/c/d/.env",
	} {
		write(t, home, p, p)
		want[p] = p
	}
	for _, p := range []string{"work/shop/main.go", ".cache/x/y", "go/pkg/mod/a/.env", "work/node_modules/p/.env", "a/b/c/d/e/.env", "photo.jpg", ".cargo/registry/src/x/.env"} {
		write(t, home, p, "not a place")
	}
	write(t, elsewhere, "dotfiles/gitconfig", "linked")
	link(t, filepath.Join(elsewhere, "dotfiles/gitconfig"), filepath.Join(home, ".gitconfig"))
	write(t, home, "dotfiles/vimrc", "inner")
	link(t, "dotfiles/vimrc", filepath.Join(home, ".vimrc"))
	want[".gitconfig"] = filepath.Join(elsewhere, "dotfiles/gitconfig") + "linked"
	want[".vimrc"] = "dotfiles/vimrc" + "inner"
	newHome := func(t *testing.T, cursor []byte) scanners.Source {
		s, err := files.NewHome(files.HomeOptions{Home: home, Cursor: cursor, Batch: 1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sourcetest.Run(t, sourcetest.Subject{New: newHome, Want: want, Resumes: true})
	items, _, _ := sourcetest.Drain(t, newHome(t, nil))
	for _, it := range items {
		if _, has := want[it.Path]; !has {
			t.Errorf("%s is no place", it.Path)
		}
	}
	for _, p := range files.Places() {
		if p.What == "" || p.Pattern == "" {
			t.Errorf("a place without pattern or reason: %+v", p)
		}
	}
}
