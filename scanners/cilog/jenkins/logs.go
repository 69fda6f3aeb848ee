package jenkins

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Keys of logs: console@STAMP, and runs/CONFIGURATION@STAMP of a matrix.
const (
	consoleKey = "console"
	runsKey    = "runs/"
)

// Logs implements cilog.Project. Only builds of a matrix cost a request.
func (p *Project) Logs(ctx context.Context, r cilog.Run) ([]cilog.Log, error) {
	logs := []cilog.Log{console(r.URL, r.Going)}
	logs[0].Key, logs[0].Path, logs[0].Began = consoleKey+"@"+r.Changed, consoleKey, r.Began
	if r.Hint != matrixHint {
		return logs, nil
	}
	b, now, err := p.build(ctx, r, buildTree+",runs["+buildTree+"]")
	if err != nil {
		return nil, err
	}
	if b.Runs == nil {
		return logs, nil
	}
	seen := map[string]bool{}
	for i := range *b.Runs {
		// The list has configurations that this build did not build, with an older
		// build of theirs: that is a log of the older one.
		c := &(*b.Runs)[i]
		name := configuration(c.URL, r.ID)
		if c.Number != b.Number || name == "" || seen[name] {
			continue
		}
		seen[name] = true
		l := console(rest.Link(c.URL), c.going(now))
		l.Key, l.Path, l.Part, l.Began = runsKey+name+"@"+r.Changed, name+"/"+consoleKey, "configuration "+strconv.Itoa(i+1), c.began()
		logs = append(logs, l)
	}
	return logs, nil
}

// console is a log of a build; its lines cannot be linked.
func console(build string, going bool) cilog.Log {
	l := cilog.Log{Size: -1, Going: going}
	if build != "" {
		l.URL = strings.TrimSuffix(build, "/") + "/console"
	}
	return l
}

// configuration is the name of a matrix' configuration, of the address of its
// build: .../NAME/NUMBER/.
func configuration(address, number string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	rest, ok := strings.CutSuffix(strings.TrimSuffix(u.EscapedPath(), "/"), "/"+number)
	if !ok {
		return ""
	}
	name, err := url.PathUnescape(rest[strings.LastIndexByte(rest, '/')+1:])
	if err != nil || strings.Contains(name, "/") {
		return ""
	}
	return name
}

// Open implements cilog.Project. What Jenkins calls the console's plain text is
// all that is written until now, whole, without annotations, and costs the server
// no memory: its progressive text may leave lines out while a build is under way,
// and old servers hold all of it at once. It is read where there is no other.
func (p *Project) Open(ctx context.Context, r cilog.Run, l cilog.Log) (io.ReadCloser, error) {
	ref, key := p.root, l.Key
	if i := strings.LastIndexByte(key, '@'); i >= 0 {
		key = key[:i]
	}
	if name, ok := strings.CutPrefix(key, runsKey); ok {
		ref += url.PathEscape(name) + "/"
	}
	ref += url.PathEscape(r.ID)
	rc, _, err := p.s.web.Open(ctx, ref+"/consoleText", 0)
	switch {
	case errors.Is(err, rest.ErrNotFound):
		return p.progressive(ctx, r, l, ref)
	case err != nil:
		return nil, p.s.teach(err)
	}
	c := plain{bufio.NewReader(rc), rc}
	if c.absent() {
		_ = c.Close()
		return nil, errNoLog()
	}
	return c, nil
}

func (p *Project) progressive(ctx context.Context, r cilog.Run, l cilog.Log, ref string) (io.ReadCloser, error) {
	c := &text{ctx: ctx, web: p.s.web, ref: ref + "/logText/progressiveText?start=", going: l.Going}
	if err := c.ask(0); err != nil {
		return nil, p.gone(ctx, err, r)
	}
	if c.more && c.next == 0 && !l.Going { // what Jenkins says of a file that is not there
		_ = c.Close()
		return nil, errNoLog()
	}
	return c, nil
}

func errNoLog() error {
	return fmt.Errorf("%w: the build is there, its log is not", cilog.ErrDeleted)
}

// plain is a console's plain text.
type plain struct {
	*bufio.Reader
	io.Closer
}

// absence is how Jenkins answers for a log whose file is not there, with the
// file's path behind it, and no line end.
const absence = "No such file: "

// absent reports whether that is all there is; errors come when it is read.
func (t plain) absent() bool {
	b, err := t.Peek(len(absence))
	if err != nil || string(b) != absence {
		return false
	}
	b, err = t.Peek(t.Size())
	return errors.Is(err, io.EOF) && bytes.HasSuffix(b, []byte("log")) && !bytes.ContainsAny(b, "\r\n")
}

// Kept implements cilog.Project: one request, and another where the build is not
// there.
func (p *Project) Kept(ctx context.Context, r cilog.Run, _ []cilog.Log) error {
	_, _, err := p.build(ctx, r, "number,timestamp")
	return err
}
