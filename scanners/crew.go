package scanners

import (
	"slices"
	"sync"
)

// Crew does work for one goroutine beside it, on the cores that are to spare. Its
// methods and those of its tasks are for that goroutine alone.
type Crew struct {
	e    *Engine
	mu   sync.Mutex
	todo []*Task // that nobody began
}

// Task is work that was given to a crew.
type Task struct {
	crew    *Crew
	do      func()
	done    chan struct{}
	failure any // what it panicked with
}

// Crew is one that shares the spare cores with all others of the engine.
func (e *Engine) Crew() *Crew {
	e.start()
	return &Crew{e: e}
}

// Do has f run some time until the task's Wait returns.
func (c *Crew) Do(f func()) *Task {
	t := &Task{crew: c, do: f, done: make(chan struct{})}
	c.mu.Lock()
	c.todo = append(c.todo, t)
	c.mu.Unlock()
	select {
	case c.e.spare <- struct{}{}:
		go c.help()
	default:
	}
	return t
}

// help does what is to be done, as long as there is something.
func (c *Crew) help() {
	defer func() { <-c.e.spare }()
	for t := c.take(nil); t != nil; t = c.take(nil) {
		t.run()
	}
}

// take takes a task that nobody began: the one that is wanted, or else the first; nil
// where there is none.
func (c *Crew) take(wanted *Task) *Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.todo) == 0 {
		return nil
	}
	k := max(0, slices.Index(c.todo, wanted))
	t := c.todo[k]
	c.todo = slices.Delete(c.todo, k, k+1)
	return t
}

func (t *Task) run() {
	defer close(t.done)
	defer func() { t.failure = recover() }()
	t.do()
}

// Wait returns when the task is done, and panics if it did. Its caller does what nobody
// began meanwhile.
func (t *Task) Wait() {
	if t.end(); t.failure != nil {
		panic(t.failure)
	}
}

// Drop returns when nobody does the task any more. It is not begun.
func (t *Task) Drop() {
	if !t.crew.leave(t) {
		<-t.done
	}
}

// leave takes a task back that nobody began, and reports whether it did.
func (c *Crew) leave(t *Task) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.todo, t)
	if i < 0 {
		return false
	}
	c.todo = slices.Delete(c.todo, i, i+1)
	return true
}

// end is Wait, however the task ended.
func (t *Task) end() {
	for {
		select {
		case <-t.done:
			return
		default:
		}
		next := t.crew.take(t)
		if next == nil {
			<-t.done
			return
		}
		next.run()
	}
}
