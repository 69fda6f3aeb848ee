package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"revenant/ingest/report/terminal"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/files"
	"revenant/scanners/gitrepo"
)

// How often progress is told: on a terminal, and in a log.
const (
	drawEvery  = 200 * time.Millisecond
	printEvery = 10 * time.Second
	paceOver   = 5 * time.Second // what lately means
)

// meter tells a person how far a command's scans are. A nil meter tells nothing.
// Safe for concurrent use.
type meter struct {
	w     io.Writer
	now   func() time.Time
	lines bool // for a log: lines of their own, and seldom
	every time.Duration
	facts *scanFacts // told instead of a person; nil: of nobody

	mu    sync.Mutex
	step  terminal.Step // of the source under way
	began time.Time
	drawn time.Time
	mark  time.Time // from where the pace is measured
	done  int64     // until then
	git   bool      // the source tells what it reads itself
	shown bool      // there is a line to be cleared
	of    int
	flows func() terminal.Stream // how a stream goes; nil: it is none
	ended context.CancelFunc
	wait  sync.WaitGroup
}

// newMeter is nil where nobody looks: off a terminal, unless --progress asks for
// it.
func (a *app) newMeter(fl *scanFlags, sources int) *meter {
	m := &meter{w: a.stderr, now: a.now, every: drawEvery, of: sources}
	switch {
	case a.scan != nil:
		m.facts, m.every = a.scan, drawEvery
	case isTerminal(a.stderr) && !a.quiet && !fl.piped:
	case fl.progress:
		m.lines, m.every = true, printEvery
	default:
		return nil
	}
	return m
}

// begin starts the at-th source: how much it is, where that can be told, is found
// out meanwhile.
func (m *meter) begin(ctx context.Context, at int, p scanPlace, stdin io.Reader) {
	if m == nil {
		return
	}
	m.end()
	m.mu.Lock()
	m.step = terminal.Step{At: at, Of: m.of, Unit: "items"}
	m.began = m.now()
	m.mark, m.done = m.began, 0
	if m.drawn.IsZero() {
		m.drawn = m.began
	}
	m.git = false
	m.mu.Unlock()
	switch {
	case m.facts != nil: // how much it is in all is not asked for
		m.facts.begin()
	case p.measured:
		ctx, cancel := context.WithCancel(ctx)
		m.ended = cancel
		m.wait.Go(func() {
			if t, err := files.Measure(ctx, p.root); err == nil {
				m.total(t)
			}
		})
	case p.root == "":
		if f, ok := stdin.(*os.File); ok {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				m.total(scanners.Counts{Bytes: info.Size()})
			}
		}
	}
}

// follows has the source told as a stream.
func (m *meter) follows(flows func() terminal.Stream) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flows, m.step.Unit = flows, "messages"
}

// end waits for what begin started and takes the line away.
func (m *meter) end() {
	if m == nil {
		return
	}
	if m.ended != nil {
		m.ended()
		m.ended = nil
	}
	m.wait.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		_, _ = io.WriteString(m.w, "\r\x1b[K")
		m.shown = false
	}
}

func (m *meter) total(c scanners.Counts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step.TotalItems, m.step.TotalBytes = c.Items, c.Bytes
}

// scanned takes what the pipeline is done with.
func (m *meter) scanned(p scan.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step.Items = max(m.step.Items, p.Items)
	if m.step.TotalBytes == 0 { // else what is read counts, not what it unpacks to
		m.step.Bytes = max(m.step.Bytes, p.Bytes)
	}
	m.step.Findings, m.step.Skips = p.Findings, p.Skips
	m.draw()
}

// objects takes what a repository has read of itself.
func (m *meter) objects(p gitrepo.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.git = true
	m.step.Unit = "objects"
	m.step.Items, m.step.Bytes, m.step.TotalItems = p.Objects, p.Bytes, p.Total
	if p.Objects > p.Total {
		m.step.TotalItems = 0
	}
	m.draw()
}

func (m *meter) read(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.git {
		m.step.Bytes += int64(n)
	}
	m.draw()
}

// draw writes the line when it is due.
func (m *meter) draw() {
	if m.facts != nil {
		m.facts.reached(m.step.Items, m.step.Bytes)
		return
	}
	now := m.now()
	if now.Sub(m.drawn) < m.every {
		return
	}
	m.drawn = now
	if m.flows != nil {
		s := m.flows()
		m.step.Stream = &s
	}
	m.step.Elapsed = now.Sub(m.began)
	if over := now.Sub(m.mark); over >= paceOver {
		done, _ := m.step.Done()
		m.step.Pace = float64(done-m.done) / over.Seconds()
		m.mark, m.done = now, done
	}
	if m.lines {
		fmt.Fprintln(m.w, m.step.Line(unbounded))
		return
	}
	m.shown = true
	fmt.Fprintf(m.w, "\r\x1b[K%s", m.step.Line(widthOf(m.w)-1))
}

// metered is a source whose contents are counted while they are read.
type metered struct {
	scanners.Source
	m *meter
}

func (m *meter) source(s scanners.Source) scanners.Source {
	if m == nil {
		return s
	}
	return metered{s, m}
}

// Next implements scanners.Source.
func (s metered) Next(ctx context.Context) (scanners.Batch, error) {
	b, err := s.Source.Next(ctx)
	for i := range b.Items {
		open := b.Items[i].Open
		b.Items[i].Open = func(ctx context.Context) (io.ReadCloser, error) {
			rc, err := open(ctx)
			if err != nil {
				return nil, err
			}
			return counted{rc, s.m}, nil
		}
	}
	return b, err
}

type counted struct {
	io.ReadCloser
	m *meter
}

// Read implements io.Reader.
func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.m.read(n)
	return n, err
}
