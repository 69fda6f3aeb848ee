package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// values are what is kept secret.
type values struct{ db, dbNext, mail, spare, portal string }

// tour is one run.
type tour struct {
	o      options
	env    []string
	values values
	org    *organisation

	mu  sync.Mutex // of out
	out io.Writer

	server *exec.Cmd
	ended  chan error // of the server
	log    *serverLog
	url    string
}

func newTour(o options, out io.Writer) *tour {
	t := &tour{o: o, out: out, values: values{db: random(32), dbNext: random(32), mail: random(40), spare: random(36), portal: "p@ss/" + random(20)}}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "REVENANT_") && !strings.HasPrefix(e, "GITLEAKS_") {
			t.env = append(t.env, e)
		}
	}
	t.env = append(t.env, "REVENANT_HOME="+t.path("home"), "TMPDIR="+t.path("tmp"), "NO_COLOR=1")
	return t
}

func (t *tour) path(name string) string { return filepath.Join(t.o.work, filepath.FromSlash(name)) }

// short is a text with paths as they are called from the project's folder.
func (t *tour) short(text string) string {
	return strings.ReplaceAll(text, t.o.root+string(filepath.Separator), "")
}

func (t *tour) print(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.out, text)
}

func (t *tour) say(title string) { t.print("\n== " + title + "\n") }

// steps does one after another.
func (t *tour) steps(do ...func() error) error {
	for _, step := range do {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tour) timed(do func() error) error {
	began := time.Now()
	err := do()
	t.print(fmt.Sprintf("(%d ms)\n", time.Since(began).Milliseconds()))
	return err
}

// run runs the program.
func (t *tour) run(ctx context.Context, stdin string, args ...string) (stdout, all string, code int, err error) {
	c := exec.CommandContext(ctx, t.o.bin, args...)
	c.Env, c.Stdin = t.env, strings.NewReader(stdin)
	var out bytes.Buffer
	var both transcript
	c.Stdout, c.Stderr = io.MultiWriter(&out, &both), &both
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	return out.String(), both.text.String(), c.ProcessState.ExitCode(), err
}

// transcript is what both streams of a process say, as it comes.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (b *transcript) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// show runs a command, shows it and what it says, and insists on its exit code.
func (t *tour) show(ctx context.Context, want int, args ...string) error {
	return t.shown(ctx, "", "", want, args)
}

// pipe does so with a value as its input.
func (t *tour) pipe(ctx context.Context, value string, args ...string) error {
	return t.shown(ctx, value, ` <<< "$VALUE"`, 0, args)
}

func (t *tour) shown(ctx context.Context, stdin, from string, want int, args []string) error {
	_, all, code, err := t.run(ctx, stdin, args...)
	if err != nil {
		return fmt.Errorf("revenant %s: %w", args[0], err)
	}
	t.print("\n$ revenant " + t.short(strings.Join(args, " ")) + from + "\n" + all) // as it is: columns stay
	if code != want {
		return fmt.Errorf("revenant %s: exit code %d, expected %d", strings.Join(args[:min(2, len(args))], " "), code, want)
	}
	if code != 0 {
		t.print(fmt.Sprintf("(exit code %d)\n", code))
	}
	return nil
}

// issue issues a value, which is shown once: to the demo.
func (t *tour) issue(ctx context.Context, name, consumer string) (string, error) {
	args := []string{"secret", "issue", name, "--consumer", consumer}
	t.print("\n$ revenant " + strings.Join(args, " ") + "   (the value it shows once is left out here)\n")
	out, _, code, err := t.run(ctx, "", append(args, "--json")...)
	if err != nil || code != 0 {
		return "", fmt.Errorf("revenant secret issue: exit code %d: %w", code, err)
	}
	type issued struct{ Value string }
	var list []issued
	if json.Unmarshal([]byte(out), &list) != nil {
		var one issued
		err = json.Unmarshal([]byte(out), &one)
		list = []issued{one}
	}
	if err != nil || len(list) == 0 || list[0].Value == "" {
		return "", errors.New("revenant secret issue: no value")
	}
	return list[0].Value, nil
}

// hasFindings reports whether a secret has findings.
func (t *tour) hasFindings(ctx context.Context, secret string, more ...string) (bool, error) {
	out, _, code, err := t.run(ctx, "", append([]string{"findings", "list", "--json", "--secret", secret}, more...)...)
	var list []json.RawMessage
	if err == nil && code == 0 {
		err = json.Unmarshal([]byte(out), &list)
	}
	return len(list) > 0, err
}

// until waits for something that the server does by itself.
func (t *tour) until(ctx context.Context, what string, is func(context.Context) (bool, error)) error {
	for {
		yes, err := is(ctx)
		if err != nil || yes {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case err := <-t.ended:
			return errors.Join(errors.New("the server ended: see "+t.short(t.path("serve.log"))), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// status is what the API tells.
type status struct {
	Watches map[string]int `json:"watches"`
	Behind  int            `json:"behind"`
}

// scanned: so many watches were.
func (t *tour) scanned(n int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		var s status
		err := t.api(ctx, http.MethodGet, "/api/v1/status", &s)
		return s.Watches["complete"]+s.Watches["incomplete"] >= n, err
	}
}

func (t *tour) nothingBehind(ctx context.Context) (bool, error) {
	var s status
	err := t.api(ctx, http.MethodGet, "/api/v1/status", &s)
	return s.Behind == 0, err
}

// api asks the server.
func (t *tour) api(ctx context.Context, method, path string, into any) error {
	token, err := os.ReadFile(t.path("home/control.token"))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, t.url+path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// get reads what everybody may.
func (t *tour) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url+path, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
