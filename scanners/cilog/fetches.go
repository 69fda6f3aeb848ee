package cilog

import (
	"context"
	"sync"
)

// fetched is what a run's logs are.
type fetched struct {
	run  Run
	logs []Log
	err  error
}

// fetches lists the logs of runs ahead of need, some at a time, and hands them
// over in their order.
type fetches struct {
	project Project
	runs    []Run
	ahead   int
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	under   []chan fetched // way
}

// newFetches begins when it is asked for the first; stop ends it, and nothing else.
func newFetches(ctx context.Context, p Project, runs []Run, ahead int) *fetches {
	f := &fetches{project: p, runs: runs, ahead: ahead}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return f
}

// left reports whether there are runs that were not handed over.
func (f *fetches) left() bool { return len(f.runs)+len(f.under) > 0 }

// next is the next run's.
func (f *fetches) next(ctx context.Context) (fetched, error) {
	for len(f.runs) > 0 && len(f.under) <= f.ahead {
		r := f.runs[0]
		f.runs = f.runs[1:]
		out := make(chan fetched, 1)
		f.under = append(f.under, out)
		f.wg.Go(func() { out <- f.fetch(r) })
	}
	select {
	case got := <-f.under[0]:
		f.under = f.under[1:]
		return got, nil
	case <-ctx.Done():
		return fetched{}, ctx.Err()
	}
}

func (f *fetches) fetch(r Run) (out fetched) {
	out.run = r
	if r.Going {
		if out.run, out.err = f.project.Look(f.ctx, r); out.err != nil {
			out.run = r
			return out
		}
	}
	out.logs, out.err = f.project.Logs(f.ctx, out.run)
	return out
}

// stop ends what is under way.
func (f *fetches) stop() {
	f.cancel()
	f.wg.Wait()
}
