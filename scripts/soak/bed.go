package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

// shape is how findings are spread over values.
type shape struct {
	name   string
	common int // percent that are of one value
	known  int // percent that are of all the others, in turn
}

func shapes() []shape {
	return []shape{
		{"a tenth of one value", 10, 50},
		{"all but 2 % of one value", 98, 1},
	}
}

// bed is a registry that is filled and measured.
type bed struct {
	o      options
	shape  shape
	at     string
	store  *sqlstore.Store
	reg    *registry.Registry
	ring   *keys.Ring
	actor  registry.Actor
	rand   *rand.ChaCha8
	values []known // registered; the first is the common one
}

// known is a registered value.
type known struct {
	name string
	text string
	row  fingerprints.RowID
}

// common is the secret that one value of is everywhere.
const common = "everywhere/token"

func newBed(ctx context.Context, o options, at string, s shape) (*bed, error) {
	var seed [32]byte
	copy(seed[:], "soak "+s.name)
	b := &bed{o: o, shape: s, at: at, actor: registry.Local("soak"), rand: rand.NewChaCha8(seed)}
	var err error
	if b.store, err = sqlstore.Open(ctx, at, sqlstore.Options{Access: sqlstore.CreateIfMissing}); err != nil {
		return nil, err
	}
	if b.ring, err = keys.NewRing(b.rand, time.Now()); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	if b.reg, err = registry.New(registry.Options{Store: b.store, Ring: b.ring, Rand: b.rand}); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	if _, err = b.reg.Init(ctx, b.actor); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	return b, nil
}

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"

// value draws a strong one.
func (b *bed) value() string {
	v := make([]byte, 32)
	for i := range v {
		v[i] = letters[b.rand.Uint64()%uint64(len(letters))]
	}
	return string(v)
}

func fields(text string) []registry.Field {
	return []registry.Field{{Value: fingerprints.NewValue([]byte(text))}}
}

// register imports all versions, three of each secret and one of the common one.
func (b *bed) register(ctx context.Context) (time.Duration, error) {
	names := []string{common}
	for i := 1; i < b.o.versions; i++ {
		names = append(names, fmt.Sprintf("team-%02d/secret-%06d", i/3%40, i/3))
	}
	for _, n := range names {
		b.values = append(b.values, known{name: n, text: b.value()})
	}
	next := 0
	began := time.Now()
	_, err := b.reg.Import(ctx, b.actor, func() (registry.ImportRecord, error) {
		if next == len(b.values) {
			return registry.ImportRecord{}, io.EOF
		}
		v := b.values[next]
		next++
		return registry.ImportRecord{Name: v.name, Owner: v.name[:7], Fields: fields(v.text)}, nil
	}, registry.ImportOptions{})
	took := time.Since(began)
	if err != nil {
		return took, err
	}
	rows := map[fingerprints.ValueID]fingerprints.RowID{}
	open := registration.New(b.ring, b.rand, nil)
	err = b.store.View(ctx, func(tx store.Tx) error {
		return tx.EachField(ctx, func(f fingerprints.FieldRow, _ fingerprints.Version) error {
			e, err := open.Open(f)
			rows[e.ValueID] = f.ID
			return err
		})
	})
	for i := range b.values {
		b.values[i].row = rows[b.key().ValueID([]byte(b.values[i].text))]
	}
	return took, err
}

// key is the identity key of strong values.
func (b *bed) key() keys.IdentityKey { return b.ring.Identity(fingerprints.AudienceEdge) }

func sourceID(n int) string {
	return "git:git.example.org/team-" + strconv.Itoa(n%40) + "/service-" + strconv.Itoa(n)
}

// sighting is the i-th of a source: always the same.
func (b *bed) sighting(source, i int) registry.Observation {
	n := source*b.perSource() + i
	path := fmt.Sprintf("services/module-%03d/config/settings-%05d.yaml", i%97, i)
	text, rule := "", ""
	var rows []fingerprints.RowID
	switch pick := i % 100; {
	case pick < b.shape.common:
		text, rows = b.values[0].text, []fingerprints.RowID{b.values[0].row}
	case pick < b.shape.common+b.shape.known:
		v := b.values[1+n%(len(b.values)-1)]
		text, rows = v.text, []fingerprints.RowID{v.row}
	default:
		text, rule = fmt.Sprintf("unregistered-%032d", n), "generic-api-key"
	}
	key, id := b.key(), sourceID(source)
	v, p := key.ValueID([]byte(text)), key.PathID([]byte(path))
	locator := fmt.Sprintf("blob:%040x", n)
	return registry.Observation{RawPath: path, Observed: store.Observed{
		FindingID: key.FindingID(v, id, p), Value: v, Rows: rows, SourceID: id, Path: path, PathID: p,
		Sighting: fingerprints.Sighting{
			Locator: locator, Start: 100, End: 132, Line: 12, Column: 9, EndLine: 12, EndColumn: 41,
			Form: fingerprints.FormRaw, Rule: rule, Presence: fingerprints.PresenceTip,
			Context: "  password: [redacted]\n  host: db.internal.example.org\n  port: 5432",
			URL:     "https://git.example.org/blob/" + locator + "/" + path + "#L12",
		},
	}}
}

func (b *bed) perSource() int { return b.o.sightings / b.o.sources }

// batch is how many sightings a scan records at once.
const batch = 500

// scan records everything of a source, as a scan does.
func (b *bed) scan(ctx context.Context, source int, m store.Meta) error {
	run, err := b.reg.BeginScan(ctx, b.actor, registry.ScanStart{
		SourceID: sourceID(source), Kind: fingerprints.KindGit, Generic: true, FieldRevision: m.FieldRevision, PackRevision: m.PackRevision,
	})
	if err != nil {
		return err
	}
	for from := 0; from < b.perSource(); from += batch {
		var obs []registry.Observation
		for i := from; i < min(from+batch, b.perSource()); i++ {
			obs = append(obs, b.sighting(source, i))
		}
		if _, err := run.Record(ctx, obs); err != nil {
			return err
		}
		if err := run.SaveCursor(ctx, registry.Progress{Cursor: []byte(strconv.Itoa(from))}); err != nil {
			return err
		}
	}
	_, err = run.Finish(ctx, registry.Outcome{Complete: true, Progress: registry.Progress{Items: int64(b.perSource()), Through: "all branches"}})
	return err
}
