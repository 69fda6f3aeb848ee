package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"

	"revenant/fingerprints/registry"
)

// format is that of documents and state; another one is built anew.
const format = 1

// state is what the index knows of itself; it is written with the documents.
type state struct {
	Format       int                   `json:"format"`
	Installation string                `json:"installation"`
	Position     registry.FeedPosition `json:"position"`
	// Past is the audit record that Position is behind: in a store that was set back and
	// went another way since, there is another one in its place. Zero in what older
	// versions wrote.
	Past registry.AuditHead `json:"past,omitzero"`
	// Building: findings up to After are in, and what changed since Position is not.
	Building bool   `json:"building,omitempty"`
	After    string `json:"after,omitempty"`
	// Redacted is the last redaction that was followed, and Owed says that files may
	// still hold what was redacted or forgotten.
	Redacted uint64 `json:"redacted,omitempty"`
	Owed     bool   `json:"owed,omitempty"`
}

const stateKey = "revenant/state"

// Index is an index of findings. It is safe for concurrent use.
type Index struct {
	o      Options
	mode   Mode
	unlock func()
	queue  *index.AnalysisQueue

	follow sync.Mutex   // one follows at a time
	open   sync.RWMutex // held while kept is used, and alone while it is replaced
	kept   *scorch.Scorch
	state  state // of what is written; follow guards it

	closed  bool // follow guards it
	damaged atomic.Bool
	stats   stats
	columns columns
}

func (x *Index) files() string { return filepath.Join(x.o.Dir, "index") }

// Open opens the index, or makes an empty one, which Follow builds. Where another
// process keeps it, a snapshot of it is opened, and where there is none, the store
// is read: Mode says which.
func Open(ctx context.Context, o Options) (*Index, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the search index: %w", pathless(err))
	}
	x := &Index{o: o, mode: Writes}
	unlock, err := o.Lock(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return x, x.openCopy(ctx)
	}
	x.unlock = unlock
	if err := x.begin(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// Store answers from the store alone. It needs no folder, and nothing has to be
// closed.
func Store(o Options) *Index { return &Index{o: o, mode: Scans} }

// Rebuild removes the index and builds it. ErrKept where another process keeps it.
func (x *Index) Rebuild(ctx context.Context) error {
	if x.mode != Writes {
		return fmt.Errorf("building the search index: %w", ErrKept)
	}
	x.follow.Lock()
	err := x.anew(ctx, "it was asked for")
	x.follow.Unlock()
	if err != nil {
		return fmt.Errorf("building the search index: %w", err)
	}
	_, err = x.Follow(ctx)
	return err
}

// Exists reports whether a folder has an index.
func Exists(dir string) bool {
	_, err := os.Stat((&Index{o: Options{Dir: dir}}).files())
	return err == nil
}

// Mode is how the index answers.
func (x *Index) Mode() Mode { return x.mode }

// begin opens what is there where it can be gone on with, or begins anew.
func (x *Index) begin(ctx context.Context) error {
	meta, end, err := x.registryNow(ctx)
	if err != nil {
		return err
	}
	x.dropCopies()
	why := ""
	if _, err := os.Stat(x.files()); err != nil {
		why = "there is none yet"
	} else if x.kept, err = openScorch(x.files(), false, x.analysis()); err != nil {
		why = "it cannot be opened"
	} else if x.state, err = readState(x.kept); err != nil {
		why = "it cannot be read"
	} else {
		why, err = x.foreign(ctx, meta, end)
		if err != nil {
			return err
		}
	}
	if why == "" {
		x.settled()
		return nil
	}
	return x.anew(ctx, why)
}

// foreign says why an index does not belong to this store as it is now; empty: it
// does.
func (x *Index) foreign(ctx context.Context, installation string, end registry.FeedPosition) (string, error) {
	const setBack = "the store was set back to an earlier state"
	s := x.state
	switch {
	case s.Format != format:
		return "another version wrote it", nil
	case s.Installation != installation:
		return "it is another installation's", nil
	case s.Position.Change > end.Change || s.Position.Audit > end.Audit:
		return setBack, nil
	case s.Past.Sequence == 0:
		return "", nil
	}
	now, err := x.past(ctx, s.Past.Sequence)
	if err != nil || now == s.Past {
		return "", err
	}
	return setBack, nil
}

// past is the audit record with a number.
func (x *Index) past(ctx context.Context, sequence uint64) (registry.AuditHead, error) {
	head, err := x.o.Registry.AuditAt(ctx, x.o.Actor, sequence)
	if err != nil {
		err = fmt.Errorf("reading what the search index followed: %w", err)
	}
	return head, err
}

// anew removes what is there and begins to build. follow is held, or nobody else
// has the index yet.
func (x *Index) anew(ctx context.Context, why string) error {
	installation, end, err := x.registryNow(ctx)
	if err != nil {
		return err
	}
	past, err := x.past(ctx, end.Audit)
	if err != nil {
		return err
	}
	redacted, err := x.o.Registry.Redacted(ctx, x.o.Actor)
	if err != nil {
		return fmt.Errorf("building the search index: %w", err)
	}
	x.open.Lock()
	defer x.open.Unlock()
	if x.kept != nil {
		_ = closeScorch(x.kept) // it goes anyway
		x.kept = nil
	}
	if err := os.RemoveAll(x.files()); err != nil {
		return fmt.Errorf("removing the search index: %w", pathless(err))
	}
	if x.kept, err = openScorch(x.files(), false, x.analysis()); err != nil {
		return err
	}
	x.o.Log.InfoContext(ctx, "the search index is built", slog.String("why", why))
	x.columns.forget()
	x.damaged.Store(false)
	x.stats.built.Add(1)
	x.state = state{Format: format, Installation: installation, Position: end, Past: past, Building: true, Redacted: redacted}
	return x.write(index.NewBatch(), x.state, true)
}

func (x *Index) analysis() *index.AnalysisQueue {
	if x.queue == nil {
		x.queue = index.NewAnalysisQueue(2)
	}
	return x.queue
}

func (x *Index) registryNow(ctx context.Context) (installation string, end registry.FeedPosition, err error) {
	meta, err := x.o.Registry.Meta(ctx, x.o.Actor)
	if err != nil {
		return "", end, fmt.Errorf("opening the search index: %w", err)
	}
	end, err = x.o.Registry.FeedEnd(ctx, x.o.Actor)
	if err != nil {
		err = fmt.Errorf("opening the search index: %w", err)
	}
	return meta.Installation.String(), end, err
}

// Close ends the use of the index. What was followed is on the disk then.
func (x *Index) Close() error {
	x.follow.Lock()
	defer x.follow.Unlock()
	x.open.Lock()
	defer x.open.Unlock()
	x.closed = true
	var err error
	if x.kept != nil {
		if x.mode == Writes && !x.damaged.Load() {
			err = x.write(index.NewBatch(), x.state, true)
		}
		err = errors.Join(err, closeScorch(x.kept))
		x.kept = nil
	}
	if x.queue != nil {
		x.queue.Close()
		x.queue = nil
	}
	if x.unlock != nil {
		x.unlock()
		x.unlock = nil
	}
	return err
}

// openScorch opens an index; a damaged one may panic in there.
func openScorch(dir string, readOnly bool, queue *index.AnalysisQueue) (s *scorch.Scorch, err error) {
	defer caught(&err)
	made, err := scorch.NewScorch(scorch.Name, map[string]any{
		"path": dir, "read_only": readOnly, "unsafe_batch": true, "bolt_timeout": "100ms",
		// Few segments, since each is looked at in turn.
		"scorchMergePlanOptions": map[string]any{"maxSegmentsPerTier": 6, "segmentsPerMergeTask": 6, "floorSegmentSize": 20000, "tierGrowth": 6},
	}, queue)
	if err != nil {
		return nil, fmt.Errorf("opening the search index: %w", err)
	}
	s, is := made.(*scorch.Scorch)
	if !is {
		return nil, errors.New("opening the search index: it is of another kind")
	}
	if err := s.Open(); err != nil {
		return nil, fmt.Errorf("%w: opening the search index", errDamaged)
	}
	return s, nil
}

func closeScorch(s *scorch.Scorch) (err error) {
	defer caught(&err)
	if s.Close() != nil {
		return fmt.Errorf("%w: closing the search index", errDamaged)
	}
	return nil
}

// errDamaged: the index cannot be read. It holds nothing that is nowhere else.
var errDamaged = errors.New("the search index is damaged; it is built anew")

// caught turns a panic of the index's reader into an error: files that something
// else has written to are read as they are.
func caught(err *error) {
	if recover() != nil {
		*err = errDamaged
	}
}

func readState(s *scorch.Scorch) (st state, err error) {
	defer caught(&err)
	r, err := s.Reader()
	if err != nil {
		return st, errDamaged
	}
	defer func() { _ = r.Close() }()
	return stateOf(r.GetInternal)
}

func stateOf(internal func(key []byte) ([]byte, error)) (st state, err error) {
	text, err := internal([]byte(stateKey))
	if err != nil || json.Unmarshal(text, &st) != nil {
		return st, errDamaged
	}
	return st, nil
}

// pathless leaves the name of a file out of an error.
func pathless(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
