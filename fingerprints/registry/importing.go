package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// ImportRecord is one line of an import: one value (or several fields) of one
// secret.
type ImportRecord struct {
	Line      int // for problems; 0: counted
	Name      string
	Fields    []Field
	Class     fingerprints.Class
	Owner     string
	Consumers []string
	State     fingerprints.State // "" active
	IssuedTo  string
}

// ImportOptions qualifies Import.
type ImportOptions struct {
	Force bool // accept values that contain or repeat an older one
}

// ImportProblem says why a line was not used, or what is wrong with it.
type ImportProblem = wire.LineProblem

// Imported is what Import did. Notes are about lines that were used, or were known: a
// state that differs from the one that the registry has.
type Imported struct{ wire.ImportedView }

// LineError is a line that its reader could not use. Reason holds no content.
type LineError struct {
	Line   int
	Reason string
}

func (e *LineError) Error() string { return e.Reason }

// importBatch is how many lines are one transaction.
const importBatch = 2000

// Import registers a stream of records, in order. next returns io.EOF at the
// end; a *LineError makes that line a problem, any other error ends the
// import. Lines are written in batches; repeating an import that was cut off
// finishes it.
func (r *Registry) Import(ctx context.Context, a Actor, next func() (ImportRecord, error), o ImportOptions) (Imported, error) {
	const what = "importing"
	var out Imported
	search := newSearch()
	for more := true; more; {
		batch, again, failed := readBatch(&out, next)
		more = again && failed == nil
		if failed != nil {
			failed = fmt.Errorf("%s: %w", what, failed)
		} else {
			var done Imported
			if done, failed = r.importBatch(ctx, a, batch, o, search); failed == nil {
				out.Add(done.ImportedView)
			}
		}
		if more && failed == nil && len(search.versions) < searchAtOnce {
			continue
		}
		n, err := r.redactProvenance(ctx, a, ScopeRegister, what, search)
		if err = errors.Join(failed, err); err != nil {
			return out, err
		}
		out.Redacted += n
		search = newSearch()
	}
	return out, nil
}

// searchAtOnce is how many values of an import are searched for in stored
// provenance at once: each search reads all of it.
const searchAtOnce = 20_000

// readBatch reads up to importBatch usable records; problems go to out.
func readBatch(out *Imported, next func() (ImportRecord, error)) ([]ImportRecord, bool, error) {
	var batch []ImportRecord
	for len(batch) < importBatch {
		rec, err := next()
		var line *LineError
		switch {
		case errors.Is(err, io.EOF):
			return batch, false, nil
		case errors.As(err, &line):
			out.Lines++
			out.Problems = append(out.Problems, ImportProblem{Line: orCount(line.Line, out.Lines), Reason: line.Reason})
			continue
		case err != nil:
			return nil, false, err
		}
		out.Lines++
		rec.Line = orCount(rec.Line, out.Lines)
		if rec, err = checkRecord(rec); err != nil {
			out.Problems = append(out.Problems, ImportProblem{Line: rec.Line, Reason: err.Error()})
			continue
		}
		batch = append(batch, rec)
	}
	return batch, true, nil
}

func orCount(line, count int) int {
	if line == 0 {
		return count
	}
	return line
}

func checkRecord(rec ImportRecord) (ImportRecord, error) {
	q, err := checkAdd(AddRequest{
		Name: rec.Name, Class: rec.Class, Owner: rec.Owner, Consumers: rec.Consumers, Fields: rec.Fields, IssuedTo: rec.IssuedTo,
	})
	if err != nil {
		return rec, err
	}
	rec.Fields = q.Fields
	switch rec.State {
	case "", fingerprints.StatePending, fingerprints.StateActive, fingerprints.StateSuperseded,
		fingerprints.StateRetired, fingerprints.StateAbandoned:
		return rec, nil
	}
	return rec, badInput("state", "use pending, active, superseded, retired or abandoned")
}

// importBatch writes one batch, wholly or not at all.
func (r *Registry) importBatch(ctx context.Context, a Actor, batch []ImportRecord, o ImportOptions, s *search) (Imported, error) {
	var out Imported
	_, err := r.register(ctx, a, ScopeRegister, "importing", s, func(g *registering) error {
		out = Imported{}
		for _, rec := range batch {
			err := g.importOne(rec, o, &out)
			if reason, ok := lineProblem(err); ok {
				out.Problems = append(out.Problems, ImportProblem{Line: rec.Line, Reason: reason})
			} else if err != nil {
				return fmt.Errorf("line %d: %w", rec.Line, err)
			}
		}
		if n := out.Added + out.Rotated; n > 0 {
			g.note("secret.import", "", map[string]string{"added": strconv.Itoa(out.Added), "rotated": strconv.Itoa(out.Rotated)})
		}
		return nil
	})
	return out, err
}

// lineProblem tells errors that are the line's own from those that end the
// import.
func lineProblem(err error) (string, bool) {
	for _, e := range []error{ErrContainsOld, ErrReused, ErrEmptyValue, ErrValueTooLong, ErrValueInName, ErrInput} {
		if errors.Is(err, e) {
			return err.Error(), true
		}
	}
	return "", false
}

func (g *registering) importOne(rec ImportRecord, o ImportOptions, out *Imported) error {
	s, err := g.tx.Secret(g.ctx, rec.Name)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	if !fresh {
		if _, err := g.secret(g.ctx, rec.Name); err != nil {
			return &InputError{Input: "name", Kind: ErrInput, Want: "another secret has it"}
		}
	}
	var versions []fingerprints.Version
	if fresh {
		s = fingerprints.Secret{Name: rec.Name, Class: rec.Class, Owner: rec.Owner, CreatedAt: g.at}
		if s.Class == "" {
			s.Class = fingerprints.ClassApplication
		}
	} else if versions, err = g.tx.Versions(g.ctx, rec.Name); err != nil {
		return err
	}
	n, err := g.candidate(s, versions, rec.Fields)
	if err != nil {
		return err
	}
	known, err := g.find(versions, *n.prepared)
	if err != nil {
		return err
	}
	if known != nil {
		if !n.prepared.comparable() {
			out.Notes = append(out.Notes, ImportProblem{Line: rec.Line, Reason: known.Ref().String() +
				" is not searchable, so its value cannot be compared; use rotate if it changed"})
		}
		return g.importKnown(*known, rec, out)
	}
	if err := g.checkContains(versions, n, o.Force); err != nil {
		return err
	}
	n.secret.Consumers = mergeNames(s.Consumers, mergeNames(rec.Consumers, nonEmpty(rec.IssuedTo)))
	if fresh || len(n.secret.Consumers) != len(s.Consumers) {
		if err := g.putSecret(g.ctx, n.secret); err != nil {
			return err
		}
	}
	n.state, n.issuedTo, n.action = rec.State, rec.IssuedTo, "secret.rotate"
	if n.state == "" {
		n.state = fingerprints.StateActive
	}
	if fresh {
		n.action = "secret.add"
	}
	n.details = map[string]string{"import": "line " + strconv.Itoa(rec.Line)}
	done, err := g.newVersion(n)
	if err != nil {
		return err
	}
	out.count(done, fresh)
	return nil
}

// importKnown leaves a known value as it is, and says so when the line wanted
// another state.
func (g *registering) importKnown(v fingerprints.Version, rec ImportRecord, out *Imported) error {
	out.Unchanged++
	if rec.State != "" && rec.State != v.State {
		out.Notes = append(out.Notes, ImportProblem{
			Line:   rec.Line,
			Reason: fmt.Sprintf("%s is %s here and %s in the file; an import changes no states", v.Ref(), v.State, rec.State),
		})
	}
	return errors.Join(g.refresh(v, rec.Fields), g.makeUp(v, rec.Fields))
}

func (m *Imported) count(done Registered, fresh bool) {
	if fresh {
		m.Added++
	} else {
		m.Rotated++
	}
	m.Recognised += done.Recognised
	for _, f := range done.Fields {
		if f.Unsearchable != "" {
			m.Unsearchable++
		}
		if f.Weak {
			m.Weak++
		}
	}
}
