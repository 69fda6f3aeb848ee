package registry

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
)

// What a registrar elsewhere needs. It has the ring's registering keys, and the value;
// the registry has what is registered. Only sealed rows and keyed hashes go between
// them: docs/adr/0045-registering-over-the-network.md says what that reveals.

// crowdedTags is from how many values on a region is crowded, and mostCrowded how
// many such regions are told.
const (
	crowdedTags = 4
	mostCrowded = 50_000
)

// RegistrarState is what a registrar elsewhere works with.
func (r *Registry) RegistrarState(ctx context.Context, a Actor) (wire.RegistrarState, error) {
	var out wire.RegistrarState
	err := r.updateIndexed(ctx, a, ScopeRegister, "preparing a registration", func(c *change) error {
		if err := r.index.follow(ctx, c); err != nil {
			return err
		}
		out = wire.RegistrarState{
			Installation: c.ring.Installation().String(), Ring: c.ring.ID().String(), Format: registration.Format, Epoch: c.ring.Epoch(), FilterGen: c.ring.FilterGen(),
			Crowded: r.index.crowded(),
		}
		return nil
	})
	return out, err
}

// crowded are the regions that many values share, the most crowded first.
func (x *index) crowded() []wire.SharedTag {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := []wire.SharedTag{}
	for tag, n := range x.tags {
		if n >= crowdedTags {
			out = append(out, wire.SharedTag{Tag: tag, Values: n})
		}
	}
	slices.SortFunc(out, func(a, b wire.SharedTag) int { return cmp.Or(b.Values-a.Values, cmp.Compare(a.Tag, b.Tag)) })
	return out[:min(len(out), mostCrowded)]
}

// KnownRows are the sealed rows of values by their ids, and of a secret's versions
// where one is named. That a registrar asked is recorded: whoever holds the keys and
// the rows can test guesses. Who is bound to teams is given the rows of others without
// what says whose they are: that a value is registered, and its regions, is what
// registering it needs.
func (r *Registry) KnownRows(ctx context.Context, a Actor, values []fingerprints.ValueID, secret string) (wire.KnownRows, error) {
	out := wire.KnownRows{}
	err := r.updateIndexed(ctx, a, ScopeRegister, "preparing a registration", func(c *change) error {
		out = wire.KnownRows{Values: map[string]wire.SealedField{}, Secret: []wire.SealedField{}}
		if err := r.index.follow(ctx, c); err != nil {
			return err
		}
		for _, id := range values {
			r.index.mu.Lock()
			row, is := r.index.values[id]
			r.index.mu.Unlock()
			if !is {
				continue
			}
			f, err := c.tx.FieldByID(ctx, row)
			if err != nil {
				return err
			}
			if f, err = c.asSeen(ctx, f); err != nil {
				return err
			}
			out.Values[id.String()] = sealedField(f)
		}
		if _, err := c.secret(ctx, secret); secret == "" || errors.Is(err, ErrUnknownSecret) {
			secret = "" // there is none, or it is another team's
		} else if err != nil {
			return err
		}
		versions, err := c.tx.Versions(ctx, secret)
		if err != nil {
			return err
		}
		for _, v := range versions {
			rows, err := c.tx.Fields(ctx, v.ID)
			if err != nil {
				return err
			}
			for _, f := range rows {
				one := sealedField(f)
				one.Number = v.Number
				out.Secret = append(out.Secret, one)
			}
		}
		if len(out.Secret) > 0 || len(out.Values) > 0 {
			c.note("registrar.look", secretSubject(out, secret), map[string]string{"known": fmt.Sprint(len(out.Values)), "rows": fmt.Sprint(len(out.Secret))})
		}
		return nil
	})
	return out, err
}

// asSeen is a row as the actor may know it: as it is where they see its secret, else
// without a name.
func (c *change) asSeen(ctx context.Context, f fingerprints.FieldRow) (fingerprints.FieldRow, error) {
	if !c.actor.bound() {
		return f, nil
	}
	v, err := c.tx.VersionByID(ctx, f.Version)
	if err != nil {
		return f, err
	}
	_, err = c.secret(ctx, v.Secret)
	if err == nil || !errors.Is(err, ErrUnknownSecret) {
		return f, err
	}
	return registration.New(c.ring, c.reg.rand, nil).Nameless(f, namelessField)
}

// namelessField is what the field of a row is called that is told without its name.
const namelessField = "value"

// secretSubject is a name that is in the registry; others are not repeated.
func secretSubject(k wire.KnownRows, secret string) string {
	if len(k.Secret) == 0 {
		return ""
	}
	return secret
}

func sealedField(f fingerprints.FieldRow) wire.SealedField {
	return wire.SealedField{
		Name: f.Field, Row: f.ID.String(), Version: hex.EncodeToString(f.Version[:]), Format: f.Format, Epoch: f.Epoch, FilterGen: f.FilterGen, Revision: f.Revision,
		Strength: f.Strength, Unsearchable: f.Unsearchable, Sealed: f.Sealed,
	}
}

// ErrSealed says that a fingerprint is none of this ring's, or not of this time.
var ErrSealed = errors.New("the fingerprint was not made by this installation's registering keys of today: take them anew with `revenant key registrar`")

// Opened is a sealed field as a row.
func Opened(f wire.SealedField) (fingerprints.FieldRow, error) {
	row := fingerprints.FieldRow{
		Field: f.Name, Format: f.Format, Epoch: f.Epoch, FilterGen: f.FilterGen, Revision: f.Revision, Strength: f.Strength, Unsearchable: f.Unsearchable, Sealed: f.Sealed,
	}
	for _, x := range []struct {
		dst  []byte
		text string
	}{{row.ID[:], f.Row}, {row.Version[:], f.Version}} {
		b, err := hex.DecodeString(x.text)
		if err != nil || len(b) != len(x.dst) {
			return row, ErrSealed
		}
		copy(x.dst, b)
	}
	return row, nil
}

// Sealer fingerprints values elsewhere, with the ring's registering keys.
type Sealer struct {
	Keys registration.Keys
	Rand io.Reader
	// Crowded says how many values share a region.
	Crowded map[uint64]int
	// Known returns the rows of values that are registered, by id.
	Known func(ids []fingerprints.ValueID) (map[fingerprints.ValueID]fingerprints.FieldRow, error)
}

// sealedIndex is what is registered, as a sealer knows it.
type sealedIndex struct {
	crowded map[uint64]int
	known   map[fingerprints.ValueID]registration.Entry
	asked   []fingerprints.ValueID
}

// Shared implements registration.Index.
func (x *sealedIndex) Shared(tag uint64) int { return x.crowded[tag] }

// Known implements registration.Index.
func (x *sealedIndex) Known(id fingerprints.ValueID) (registration.Entry, bool) {
	x.asked = append(x.asked, id)
	e, is := x.known[id]
	return e, is
}

// Seal makes fields without values of fields with values. A value that is registered
// already keeps its regions.
func (s *Sealer) Seal(fields []Field) ([]Field, error) {
	x := &sealedIndex{crowded: s.Crowded, known: map[fingerprints.ValueID]registration.Entry{}}
	if _, err := s.rows(fields, x); err != nil { // which ids are they?
		return nil, err
	}
	rows, err := s.Known(x.asked)
	if err != nil {
		return nil, err
	}
	open := registration.New(s.Keys, s.Rand, nil)
	for id, row := range rows {
		e, err := open.Open(row)
		if err != nil || e.ValueID != id {
			return nil, fmt.Errorf("what is registered: %w", ErrSealed)
		}
		x.known[id] = e
	}
	made, err := s.rows(fields, x)
	if err != nil {
		return nil, err
	}
	out := make([]Field, len(fields))
	for i, row := range made {
		out[i] = Field{Name: fields[i].Name, Sealed: &row}
	}
	return out, nil
}

func (s *Sealer) rows(fields []Field, x *sealedIndex) ([]fingerprints.FieldRow, error) {
	reg := registration.New(s.Keys, s.Rand, x)
	var version fingerprints.VersionID
	if _, err := io.ReadFull(s.Rand, version[:]); err != nil {
		return nil, fmt.Errorf("drawing a version id: %w", err)
	}
	var out []fingerprints.FieldRow
	for _, f := range fields {
		done, err := reg.Register(registration.Input{Value: f.Value, Version: version, Field: f.Name, Trailing: f.trailing(), Hint: f.hint})
		if err != nil {
			return nil, registerError(f.Name, err)
		}
		out = append(out, done.Row)
	}
	return out, nil
}

// OlderRow is a row of an older version.
type OlderRow struct {
	Version fingerprints.VersionRef
	Row     fingerprints.FieldRow
}

// CheckContains refuses values that contain an older value of the secret, whose rows
// are given.
func (s *Sealer) CheckContains(fields []Field, older []OlderRow) error {
	open := registration.New(s.Keys, s.Rand, nil)
	for _, o := range older {
		row := o.Row
		if row.Unsearchable != "" {
			continue
		}
		e, err := open.Open(row)
		if err != nil {
			return fmt.Errorf("reading an older version: %w", ErrSealed)
		}
		for _, f := range fields {
			found, err := registration.Contains(s.Keys, registration.Canonical(f.Value.Reveal(), f.trailing()), e)
			if err != nil {
				return err
			}
			if found {
				return fmt.Errorf("%s: %w", o.Version, ErrContainsOld)
			}
		}
	}
	return nil
}

// CheckAdd fills defaults in, and refuses what cannot be registered.
func CheckAdd(q AddRequest) (AddRequest, error) { return checkAdd(q) }

// CheckRecord does so with a line of an import.
func CheckRecord(rec ImportRecord) (ImportRecord, error) { return checkRecord(rec) }

// LineProblem tells errors that are a line's own from those that end an import.
func LineProblem(err error) (string, bool) { return lineProblem(err) }

// SealedField is a field that was sealed, as it goes over the network.
func SealedField(f Field) wire.SealedField { return sealedField(*f.Sealed) }
