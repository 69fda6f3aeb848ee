package scanners_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners"
)

// TestCrew gives work to as many cores as an engine has, and asks for it in another order.
func TestCrew(t *testing.T) {
	for _, parallel := range []int{1, 2, 5} {
		e := &scanners.Engine{Parallel: parallel}
		c := e.Crew()
		var busy, most, done atomic.Int32
		var tasks []*scanners.Task
		for i := range 200 {
			tasks = append(tasks, c.Do(func() {
				defer done.Add(1)
				for now := busy.Add(1); ; {
					old := most.Load()
					if now <= old || most.CompareAndSwap(old, now) {
						break
					}
				}
				time.Sleep(time.Duration(i%3) * 100 * time.Microsecond)
				busy.Add(-1)
			}))
		}
		r := rand.New(rand.NewPCG(1, uint64(parallel)))
		for _, i := range r.Perm(len(tasks)) {
			if i%7 == 0 {
				tasks[i].Drop()
				continue
			}
			tasks[i].Wait()
		}
		if n := int(most.Load()); n > parallel || parallel > 1 && n < 2 {
			t.Errorf("%d cores: %d tasks at a time", parallel, n)
		}
		if n := done.Load(); n < 200-200/7-1 || n > 200 {
			t.Errorf("%d cores: %d tasks were done", parallel, n)
		}
	}
}

// TestCrewPanics hands over what a task panics with, once it is asked for.
func TestCrewPanics(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		c := (&scanners.Engine{Parallel: parallel}).Crew()
		bad, good := c.Do(func() { panic("bad") }), c.Do(func() {})
		good.Wait()
		func() {
			defer func() {
				if recover() != "bad" {
					t.Errorf("%d cores: the failure is lost", parallel)
				}
			}()
			bad.Wait()
		}()
		c.Do(func() { panic("dropped") }).Drop()
	}
}

// TestStart finds in contents that were started what Scan finds in them.
func TestStart(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, parallel := range []int{1, 2, 4} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{indexed("needle")}, Parallel: parallel}
		c := e.Crew()
		type started struct {
			text []byte
			at   *scanners.Started
		}
		var list []started
		before := runtime.NumGoroutine()
		for i := range 60 {
			size := r.IntN(40 << 10)
			if i%20 == 0 {
				size = 1<<20 + r.IntN(3)
			}
			text := sparse(size+6, []int{r.IntN(size + 1), r.IntN(size + 1)})
			s := c.Start(context.Background(), iotest.HalfReader(bytes.NewReader(text)), "p")
			if s.Long() != (len(text) > 1<<20) || s.Size() == 0 {
				t.Fatalf("%d bytes: long is %v, %d were read", len(text), s.Long(), s.Size())
			}
			list = append(list, started{text, s})
		}
		for i, s := range list {
			if i%9 == 5 {
				s.at.Drop()
				continue
			}
			hits := func(scan func(emit func(scanners.Window) error) (int64, error)) (out []string) {
				n, err := scan(func(w scanners.Window) error {
					for _, h := range w.Hits {
						line, column := w.Position(h.Span.Start)
						out = append(out, strings.Join([]string{strconv.FormatInt(h.Span.Start, 10), strconv.Itoa(line), strconv.Itoa(column)}, ":"))
					}
					return nil
				})
				if err != nil || n != int64(len(s.text)) {
					t.Fatalf("%d bytes of %d: %v", n, len(s.text), err)
				}
				return out
			}
			want := hits(func(emit func(scanners.Window) error) (int64, error) {
				return e.Scan(context.Background(), bytes.NewReader(s.text), "p", emit)
			})
			got := hits(func(emit func(scanners.Window) error) (int64, error) { return s.at.Finish(context.Background(), emit) })
			if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Fatalf("%d cores, content %d (-scanned +started):\n%s", parallel, i, diff)
			}
		}
		for range 100 {
			if runtime.NumGoroutine() <= before {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines are left of %d", n, before)
		}
	}
}

// TestStartFails tells of a reader that fails as Scan does: behind what was found.
func TestStartFails(t *testing.T) {
	e := &scanners.Engine{Matchers: []scanners.Matcher{indexed("needle")}}
	broken := errors.New("broken")
	s := e.Crew().Start(context.Background(), io.MultiReader(strings.NewReader("a needle"), iotest.ErrReader(broken)), "p")
	found := 0
	if _, err := s.Finish(context.Background(), func(w scanners.Window) error { found += len(w.Hits); return nil }); !errors.Is(err, broken) || found != 1 {
		t.Errorf("found %d, %v", found, err)
	}
	s = e.Crew().Start(context.Background(), strings.NewReader("a needle"), "p")
	if _, err := s.Finish(context.Background(), func(scanners.Window) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("emit's error: %v", err)
	}
}
