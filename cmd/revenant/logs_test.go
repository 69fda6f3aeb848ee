//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"revenant/scanners/scannerstest"
)

// newLogsBox is a machine where one value is registered.
func newLogsBox(t *testing.T) (*box, string) {
	t.Helper()
	b := newBox(t)
	value := generated(31)
	b.must(0, "", "init", "-q")
	b.must(0, value, "secret", "add", "app/db", "-q")
	return b, value
}

// live is a revenant process whose streams a test holds.
type live struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *os.File
	out *bufio.Reader
	err bytes.Buffer
}

func (b *box) start(args ...string) *live {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	b.t.Cleanup(cancel)
	l := &live{t: b.t, cmd: b.command(ctx, "", args...)}
	theirs, ours, err := os.Pipe()
	if err != nil {
		b.t.Fatal(err)
	}
	l.in, l.cmd.Stdin, l.cmd.Stderr = ours, theirs, &l.err
	out, err := l.cmd.StdoutPipe()
	if err == nil {
		err = l.cmd.Start()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	_ = theirs.Close()
	l.out = newReader(out)
	return l
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

// says writes to it and expects words back before it writes any more.
func (l *live) says(in, want string) {
	l.t.Helper()
	if _, err := io.WriteString(l.in, in); err != nil {
		l.t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(l.out, got); err != nil || string(got) != want {
		l.t.Fatalf("%q came through as %q: %v\n%s", in, got, err, l.err.String())
	}
}

// ended is how it ended; rest is what it wrote since.
func (l *live) ended() (rest string, code int) {
	l.t.Helper()
	_ = l.in.Close()
	b, _ := io.ReadAll(l.out)
	_ = l.cmd.Wait()
	code = l.cmd.ProcessState.ExitCode()
	if s, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		code = -int(s.Signal())
	}
	return string(b), code
}

// TestLogsPiped: what is piped comes out as it is, each part before the next
// comes, and the exit code says that something leaked.
func TestLogsPiped(t *testing.T) {
	b, value := newLogsBox(t)
	for name, c := range map[string]struct {
		args []string
		want string // of the line with the value
	}{
		"unchanged": {nil, "pw=" + value + "\n"},
		"redacted":  {[]string{"--redact-stream"}, "pw=[secret app/db@1]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			l := b.start(append([]string{"logs", "-", "-r", b.out(name + ".json")}, c.args...)...)
			l.says("begin\n", "begin\n")
			l.says("half a line", "half a line")
			l.says("\r\n\x00\xff\n", "\r\n\x00\xff\n")
			l.says("pw="+value+"\n", c.want)
			_, _ = io.WriteString(l.in, "no end")
			rest, code := l.ended()
			if rest != "no end" || code != exitFindings {
				t.Errorf("%q, exit code %d\n%s", rest, code, l.err.String())
			}
			report, err := os.ReadFile(b.out(name + ".json"))
			if err != nil || !strings.Contains(string(report), "app/db") || bytes.Contains(report, []byte(value)) {
				t.Errorf("the report: %v\n%s", err, report)
			}
			if strings.Contains(l.err.String(), value) {
				t.Error("the value is on the error stream")
			}
		})
	}
	clean := b.must(0, "nothing here\n", "logs", "-", "--redact-stream")
	if clean.stdout != "nothing here\n" || !strings.Contains(clean.stderr, "no findings") {
		t.Errorf("%q\n%s", clean.stdout, clean.stderr)
	}
}

// TestLogsRedaction: encodings are taken out in flight with a pack and with a
// registry, whatever the report shows.
func TestLogsRedaction(t *testing.T) {
	b, value := newLogsBox(t)
	b.must(0, "", "pack", "export", "--out", b.out("edge.pack"), "--key-out", b.out("edge.key"), "-q")
	encoded := func(s string) string {
		return "raw " + s + "\nb64 " + base64.StdEncoding.EncodeToString([]byte("user:"+s)) + "\nhex " + hex.EncodeToString([]byte(s)) + "\n"
	}
	for name, args := range map[string][]string{
		"registry": nil,
		"shown":    {"--show-secrets"},
		"pack":     {"--pack", b.out("edge.pack"), "--pack-key", b.out("edge.key")},
	} {
		r := b.run(encoded(value), append([]string{"logs", "-", "--redact-stream", "--only", "registered"}, args...)...)
		want := "raw [secret app/db@1]\nb64 dXNlcj[secret app/db@1]==\nhex [secret app/db@1]\n"
		if r.code != exitFindings || r.stdout != want {
			t.Errorf("%s: exit code %d, %q\n%s", name, r.code, r.stdout, r.stderr)
		}
		if shown := strings.Contains(r.stderr, value); shown != (name == "shown") {
			t.Errorf("%s: the value is in the report: %v", name, shown)
		}
	}
}

// TestLogsLarge: a log that is longer than a chunk comes through whole, in bounded
// memory, also redacted and when what reads it is slow to begin.
func TestLogsLarge(t *testing.T) {
	t.Parallel()
	b, value := newLogsBox(t)
	block := scannerstest.Corpus(scannerstest.Logs, 3, 1<<20)
	blocks := 100
	if testing.Short() { // for the race detector
		blocks = 12
	}
	for name, args := range map[string][]string{"unchanged": nil, "redacted": {"--redact-stream"}} {
		l := b.start(append([]string{"logs", "-", "--only", "registered"}, args...)...)
		go func() {
			for i := range blocks {
				_, _ = l.in.Write(block)
				if i%10 == 0 {
					_, _ = io.WriteString(l.in, "k="+value+"\n")
				}
			}
			_ = l.in.Close()
		}()
		peak := l.peak()
		time.Sleep(100 * time.Millisecond)
		got, err := io.ReadAll(l.out)
		_, code := l.ended()
		word := map[string]string{"unchanged": value, "redacted": "[secret app/db@1]"}[name]
		parts := bytes.Split(got, []byte("k="+word+"\n"))
		if err != nil || code != exitFindings || len(parts) != (blocks+9)/10+1 || len(bytes.Join(parts, nil)) != blocks*len(block) {
			t.Errorf("%s: %v, exit code %d, %d bytes, %d parts\n%s", name, err, code, len(got), len(parts), l.err.String())
		}
		if most := <-peak; most == 0 || most > 400<<10 {
			t.Errorf("%s: %d KiB of memory", name, most)
		}
	}
}

// peak gives the most memory that the process had, in KiB, when it has ended. What the
// system tells of a process that ended counts its parent's memory at the fork, too.
func (l *live) peak() <-chan int64 {
	out := make(chan int64, 1)
	go func() {
		most := int64(0)
		for {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid))
			_, rest, has := strings.Cut(string(text), "VmHWM:")
			if err != nil || !has { // it has ended
				out <- most
				return
			}
			if n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64); err == nil {
				most = max(most, n)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return out
}

// TestLogsInterrupted: an interruption keeps what was found, of a stream that
// does not end.
func TestLogsInterrupted(t *testing.T) {
	b, value := newLogsBox(t)
	l := b.start("logs", "-")
	l.says("k="+value+"\n", "k="+value+"\n")
	_ = l.cmd.Process.Signal(os.Interrupt)
	l.says("last words\n", "last words\n")
	_ = l.cmd.Wait()
	if code := l.cmd.ProcessState.ExitCode(); code != exitFindings || !strings.Contains(l.err.String(), "app/db@1") || !strings.Contains(l.err.String(), "not complete") {
		t.Errorf("exit code %d\n%s", code, l.err.String())
	}
	l = b.start("logs", "-")
	l.says("nothing\n", "nothing\n")
	_ = l.cmd.Process.Signal(syscall.SIGTERM)
	_ = l.cmd.Wait()
	if code := l.cmd.ProcessState.ExitCode(); code != exitFailure {
		t.Errorf("nothing found, exit code %d\n%s", code, l.err.String())
	}
}

// TestLogsTimeout: a scan that is given no more time passes the rest on.
func TestLogsTimeout(t *testing.T) {
	t.Parallel()
	b, value := newLogsBox(t)
	l := b.start("logs", "-", "--redact-stream", "--timeout", "1")
	l.says("k="+value+"\n", "k=[secret app/db@1]\n")
	time.Sleep(time.Second + 2*lastWords)
	l.says("still "+value+"\n", "still [secret app/db@1]\n")
	if rest, code := l.ended(); rest != "" || code != exitFindings || !strings.Contains(l.err.String(), "not complete") {
		t.Errorf("%q, exit code %d\n%s", rest, code, l.err.String())
	}
}

// TestLogsReaderLeaves: when what reads standard output ends, so does this, as any
// tool does.
func TestLogsReaderLeaves(t *testing.T) {
	b, _ := newLogsBox(t)
	for name, args := range map[string][]string{"unchanged": nil, "redacted": {"--redact-stream"}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := b.command(ctx, "", append([]string{"logs", "-"}, args...)...)
		reader, theirs, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Stdin, c.Stdout = nil, theirs
		in, err := c.StdinPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = theirs.Close(), reader.Close()
		for ctx.Err() == nil {
			if _, err := io.WriteString(in, "line\n"); err != nil {
				break
			}
		}
		_ = c.Wait()
		if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGPIPE {
			t.Errorf("%s: ended as %v", name, c.ProcessState)
		}
	}
	// A full disk is no reader that left.
	c := b.command(t.Context(), "line\n", "logs", "-")
	c.Stdout = fullDevice(t)
	out := must2(c)
	if c.ProcessState.ExitCode() != exitFailure || !strings.Contains(out, "standard output") {
		t.Errorf("a full disk: %v\n%s", c.ProcessState, out)
	}
}

// must2 runs a command whose output goes elsewhere and returns what it said.
func must2(c *exec.Cmd) string {
	var said bytes.Buffer
	c.Stderr = &said
	_ = c.Run()
	return said.String()
}

// TestLogsCommand: a command's output, exit code and death are what they would be
// without; ours count where its own is 0.
func TestLogsCommand(t *testing.T) {
	b, value := newLogsBox(t)
	b.env = append(b.env, "LEAKED="+value)
	for name, c := range map[string]struct {
		script      string
		args        []string
		code        int
		out, report string
	}{
		"clean":               {"echo a; echo b >&2", nil, 0, "a\n", "no findings"},
		"leak":                {"echo $LEAKED", nil, exitFindings, value + "\n", "@stdout:1:1"},
		"leak beside":         {"echo $LEAKED >&2", []string{"--redact-stream"}, exitFindings, "", "[secret app/db@1]\n"},
		"leak beside, place":  {"echo $LEAKED >&2", nil, exitFindings, "", "@stderr:1:1"},
		"fails":               {"echo a; exit 7", nil, 7, "a\n", "no findings"},
		"fails and leaks":     {"echo $LEAKED; exit 7", []string{"--redact-stream"}, 7, "[secret app/db@1]\n", "app/db@1"},
		"no fail":             {"echo $LEAKED", []string{"--fail-on", "none"}, 0, value + "\n", "app/db@1"},
		"own code":            {"echo $LEAKED", []string{"--exit-code", "9"}, 9, value + "\n", "app/db@1"},
		"dies":                {"kill -TERM $$", nil, -int(syscall.SIGTERM), "", "no findings"},
		"dies of another":     {"kill -USR1 $$", nil, exitSignal + int(syscall.SIGUSR1), "", "no findings"},
		"much on both":        {"for i in 1 2; do head -c 20000000 /dev/zero >&2; head -c 3000000 /dev/zero; done", []string{"--only", "registered"}, 0, strings.Repeat("\x00", 6000000), "no findings"},
		"input":               {"cat", nil, 0, "typed", "no findings"},
		"arguments are empty": {`printf '%s|' "$@"`, nil, 0, "|x|", "no findings"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(append([]string{"logs"}, c.args...), "--", "sh", "-c", c.script, "sh", "", "x")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := b.command(ctx, "typed", args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			code := cmd.ProcessState.ExitCode()
			if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
				code = -int(s.Signal())
			}
			said := bytes.ReplaceAll(stderr.Bytes(), []byte{0}, nil)
			if code != c.code || stdout.String() != c.out || !bytes.Contains(said, []byte(c.report)) {
				t.Errorf("exit code %d, %d bytes %.200q\n%.2000s", code, stdout.Len(), stdout.String(), said)
			}
			if leaked := bytes.Contains(said, []byte(value)); leaked != (name == "leak beside, place") {
				t.Errorf("the value is on the error stream: %v", leaked)
			}
		})
	}
}

// TestLogsCommandNotStarted has what shells say.
func TestLogsCommandNotStarted(t *testing.T) {
	b, value := newLogsBox(t)
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"unknown":        {[]string{"nosuch-" + value}, exitNotFound},
		"no file":        {[]string{"/nosuch/" + value}, exitNotFound},
		"a folder":       {[]string{b.dir}, exitNotRun},
		"nothing":        {nil, exitUsage},
		"redacted, none": {[]string{"nosuch"}, exitNotFound},
	} {
		args := append([]string{"logs", "--"}, c.args...)
		if strings.HasPrefix(name, "redacted") {
			args = append([]string{"logs", "--redact-stream", "--"}, c.args...)
		}
		if r := b.run("", args...); r.code != c.code || !strings.Contains(r.stderr, "revenant: ") || strings.Contains(r.stderr, value) {
			t.Errorf("%s: exit code %d\n%s", name, r.code, r.stderr)
		}
	}
}

// TestLogsSignals: signals go on to the command, and it decides.
func TestLogsSignals(t *testing.T) {
	b, _ := newLogsBox(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2} {
		script := fmt.Sprintf(`trap 'echo got; exit 5' %d; echo ready; while :; do sleep 0.05; done`, int(s))
		l := b.start("logs", "--", "sh", "-c", script)
		l.says("", "ready\n")
		_ = l.cmd.Process.Signal(s)
		if rest, code := l.ended(); rest != "got\n" || code != 5 {
			t.Errorf("%v: %q, exit code %d\n%s", s, rest, code, l.err.String())
		}
	}
	// Asked twice, the command is asked twice, and the scan is not cut short.
	l := b.start("logs", "--", "sh", "-c", `n=0; trap 'n=$((n+1)); echo $n; [ $n = 2 ] && exit 0' INT; echo ready; while :; do sleep 0.05; done`)
	l.says("", "ready\n")
	_ = l.cmd.Process.Signal(os.Interrupt)
	l.says("", "1\n")
	_ = l.cmd.Process.Signal(os.Interrupt)
	if rest, code := l.ended(); rest != "2\n" || code != 0 {
		t.Errorf("twice: %q, exit code %d\n%s", rest, code, l.err.String())
	}
}

// TestLogsLeftBehind: a process that the command left behind keeps nobody waiting
// for ever, and what it wrote in time is there.
func TestLogsLeftBehind(t *testing.T) {
	t.Parallel()
	b, _ := newLogsBox(t)
	began := time.Now()
	r := b.must(0, "", "logs", "--", "sh", "-c", "(sleep 1; echo late; sleep 60) & echo now")
	if r.stdout != "now\nlate\n" || !strings.Contains(r.stderr, "left behind") {
		t.Errorf("%q\n%s", r.stdout, r.stderr)
	}
	if took := time.Since(began); took < behindTime || took > behindTime+20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestLogsUsage: what cannot be meant is told before anything is read or run.
func TestLogsUsage(t *testing.T) {
	b, value := newLogsBox(t)
	bare := newBox(t)
	file := b.write("build.log", "k="+value+"\n")
	for name, c := range map[string]struct {
		box  *box
		args []string
		want string
	}{
		"nothing":            {b, nil, "give a file"},
		"format":             {b, []string{"--format", "x", "-"}, "--format is one of"},
		"both":               {b, []string{file, "--", "true"}, "leave one of them out"},
		"with others":        {b, []string{"-", file}, "scanned alone"},
		"redacted file":      {b, []string{file, "--redact-stream"}, "--redact-stream takes"},
		"report":             {b, []string{"-", "-f", "json"}, "give -r a file"},
		"report to output":   {b, []string{"-", "-r", "sarif:-"}, "give -r a file"},
		"report of command":  {b, []string{"-r", "-", "--", "true"}, "give -r a file"},
		"json":               {b, []string{"-", "--json"}, "write -r json:FILE"},
		"json of command":    {b, []string{"--json", "--", "true"}, "write -r json:FILE"},
		"nothing registered": {bare, []string{"-", "--redact-stream"}, "none are known here"},
		"the same, command":  {bare, []string{"--redact-stream", "--", "touch", b.out("was run")}, "none are known here"},
		"generic only":       {b, []string{"-", "--redact-stream", "--only", "generic"}, "none are known here"},
		"key without pack":   {b, []string{"-", "--pack-key", "x"}, "says nothing without"},
		"one id, two places": {b, []string{file, file, "--source", "dir:/x"}, "one place"},
	} {
		r := c.box.run("k=v\n", append([]string{"logs"}, c.args...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("%s: exit code %d, %q\n%s", name, r.code, r.stdout, r.stderr)
		}
	}
	if _, err := os.Stat(b.out("was run")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the command was run: %v", err)
	}
	// A pack that does not open is no reason to let the stream through as it is.
	bad := b.write("bad.pack", "no pack")
	if r := b.run("k=v\n", "logs", "-", "--redact-stream", "--pack", bad); r.code < exitUsage || r.stdout != "" {
		t.Errorf("a bad pack: exit code %d, %q\n%s", r.code, r.stdout, r.stderr)
	}
}

// TestLogsPlaces: files, folders and archives are read where they lie.
func TestLogsPlaces(t *testing.T) {
	b, value := newLogsBox(t)
	one, two := b.write("a/one.log", "k="+value+"\n"), b.write("b/two.log", "nothing\n")
	r := b.must(exitFindings, "", "logs", one, filepath.Dir(two), "--format", "plain", "--no-store")
	if !strings.Contains(r.stdout, "1 finding in 2 items of 2 sources") {
		t.Errorf("%s", r.stdout)
	}
	if r = b.must(exitFailure, "", "logs", two, b.out("nowhere"), "--no-store"); !strings.Contains(r.stdout, "nowhere") {
		t.Errorf("%s\n%s", r.stdout, r.stderr)
	}
	b.must(exitUsage, "", "logs", b.out("nowhere"))
}
