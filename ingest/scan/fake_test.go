package scan_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
	"revenant/scanners"
)

var errTest = errors.New("test failure")

// random is n characters that no dictionary knows.
func random(seed uint64, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	r := rand.New(rand.NewPCG(seed, 3))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// planted is a registered value of the test matcher.
type planted struct {
	value string
	row   fingerprints.RowID
}

// literal is a matcher that finds values in a few plain forms.
type literal struct {
	values  []planted
	generic []planted // the row's first byte names the rule
	overlap int
}

func forms(value string) map[fingerprints.Form]string {
	return map[fingerprints.Form]string{
		fingerprints.FormRaw:     value,
		fingerprints.FormBase64:  base64.StdEncoding.EncodeToString([]byte(value)),
		fingerprints.FormHex:     hex.EncodeToString([]byte(value)),
		fingerprints.FormPercent: percent(value),
	}
}

func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func (l *literal) Overlap() int { return l.overlap }

func (l *literal) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	each := func(text string, add func(scanners.Span)) {
		for from := 0; ; {
			i := bytes.Index(c.Data[from:], []byte(text))
			if i < 0 {
				return
			}
			start := c.Base + int64(from+i)
			add(scanners.Span{Start: start, End: start + int64(len(text))})
			from += i + 1
		}
	}
	for _, v := range l.values {
		for form, text := range forms(v.value) {
			each(text, func(s scanners.Span) {
				dst = append(dst, scanners.Hit{Span: s, Form: form, Value: fingerprints.NewValue([]byte(v.value)), Rows: []fingerprints.RowID{v.row}})
			})
		}
	}
	for _, v := range l.generic {
		each(v.value, func(s scanners.Span) {
			dst = append(dst, scanners.Hit{
				Span: s, Match: s, Form: fingerprints.FormRaw, Value: fingerprints.NewValue([]byte(v.value)),
				Rule: "rule-" + string(rune('a'+v.row[0])), Description: "a rule", Low: v.row[0]%2 == 1,
			})
		})
	}
	if strings.HasSuffix(c.Path, ".p12") {
		dst = append(dst, scanners.Hit{PathOnly: true, Rule: "path-rule", Value: fingerprints.NewValue([]byte(c.Path)), Form: fingerprints.FormRaw})
	}
	if bytes.Contains(c.Data, []byte("panic please")) {
		panic("a matcher that fails on " + string(c.Data))
	}
	return dst
}

// memory is a source of named texts.
type memory struct {
	id      string
	items   []scanners.Item
	skips   []fingerprints.Skip
	per     int
	at      int
	fail    error
	onBatch func(n int)
	looked  scanners.Counts // that it says it looked at itself when it is stopped
}

func item(source, path, content string) scanners.Item {
	return scanners.Item{
		SourceID: source, Path: path, Size: int64(len(content)), Presence: fingerprints.PresenceTip,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}

func (m *memory) ID() string                    { return m.id }
func (m *memory) Kind() fingerprints.SourceKind { return fingerprints.KindDir }
func (m *memory) Close() error                  { return nil }
func (m *memory) Next(ctx context.Context) (scanners.Batch, error) {
	if m.onBatch != nil {
		m.onBatch(m.at)
	}
	if err := ctx.Err(); err != nil {
		return scanners.Batch{Read: m.looked}, err
	}
	n := min(m.at+max(m.per, 1), len(m.items))
	b := scanners.Batch{Items: m.items[m.at:n], Cursor: []byte(fmt.Sprint("after ", n))}
	if m.at == 0 {
		b.Skipped = m.skips
	}
	m.at = n
	if n < len(m.items) {
		return b, nil
	}
	if m.fail != nil {
		return b, m.fail
	}
	return b, io.EOF
}

// sink keeps what it is given, in order.
type sink struct {
	mu     sync.Mutex
	log    []string
	obs    []scan.Observation
	skips  []fingerprints.Skip
	done   []store.Scan
	known  map[fingerprints.FindingID]bool
	failOn string
}

func (s *sink) step(what string, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, what+" "+fmt.Sprint(args...))
	if s.failOn == what {
		return errTest
	}
	return nil
}

func (s *sink) BeginScan(_ context.Context, src store.Source, _ store.Scan) (int64, error) {
	return int64(len(s.log) + 1), s.step("begin", src.ID, " ", src.Kind)
}

func (s *sink) Record(ctx context.Context, _ int64, obs []scan.Observation, skips []fingerprints.Skip) ([]store.Recorded, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if s.known == nil {
		s.known = map[fingerprints.FindingID]bool{}
	}
	var out []store.Recorded
	for _, o := range obs {
		out = append(out, store.Recorded{FindingID: o.FindingID, New: !s.known[o.FindingID]})
		s.known[o.FindingID] = true
	}
	s.obs, s.skips = append(s.obs, obs...), append(s.skips, skips...)
	return out, s.step("record", len(obs))
}

func (s *sink) SaveCursor(_ context.Context, sc store.Scan) error {
	return s.step("cursor", string(sc.Cursor))
}

func (s *sink) Finish(_ context.Context, sc store.Scan) error {
	s.done = append(s.done, sc)
	return s.step("finish", sc.Complete)
}

// labels names the rows of planted values secret-N@1.
type labels struct {
	state fingerprints.State
	homes map[string][]scan.Home
	fail  bool
}

func (l labels) Labels(_ context.Context, rows []fingerprints.RowID, _ fingerprints.Value) ([]scan.Label, error) {
	if l.fail {
		return nil, errTest
	}
	var out []scan.Label
	for _, r := range rows {
		state := l.state
		if state == "" {
			state = fingerprints.StateRetired
		}
		out = append(out, scan.Label{Row: r, Secret: fmt.Sprintf("secret-%d", r[0]), Version: 1, Field: "value", State: state, Owner: "team"})
	}
	return out, nil
}

func (l labels) Homes(_ context.Context, secret, _, path string) ([]scan.Home, error) {
	return l.homes[secret+" "+path], nil
}

func row(n byte) fingerprints.RowID { return fingerprints.RowID{n} }

func identities() *scan.Identities {
	core := keys.NewIdentityKey(keys.Key{1})
	return &scan.Identities{Edge: keys.NewIdentityKey(keys.Key{2}), Core: &core}
}

func clock() time.Time { return time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC) }

// scanned is what a run gave out.
type scanned struct {
	scan.Result
	findings []wire.Finding
	skips    []wire.Skip
	sink     *sink
}

type setup struct {
	matcher *literal
	chunk   int
	change  func(*scan.Options)
	ctx     context.Context
}

func run(t *testing.T, src scanners.Source, s setup) (scanned, error) {
	t.Helper()
	ms := []scanners.Matcher{s.matcher}
	out := scanned{sink: &sink{}}
	o := scan.Options{
		Source: src, Engine: &scanners.Engine{Matchers: ms, ChunkSize: s.chunk}, PathMatchers: ms,
		Sink: out.sink, Labels: labels{}, Identities: identities(), Now: clock, Workers: 4,
		Emit: func(f wire.Finding) error { out.findings = append(out.findings, f); return nil },
		Skip: func(k wire.Skip) error { out.skips = append(out.skips, k); return nil },
	}
	if s.change != nil {
		s.change(&o)
	}
	ctx := s.ctx
	if ctx == nil {
		ctx = t.Context()
	}
	var err error
	out.Result, err = scan.Run(ctx, o)
	return out, err
}

func mustRun(t *testing.T, src scanners.Source, s setup) scanned {
	t.Helper()
	out, err := run(t, src, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// everything is all that left the pipeline, as text.
func (s scanned) everything() string {
	var b strings.Builder
	for _, o := range s.sink.obs {
		fmt.Fprintf(&b, "%+v\n", o)
	}
	for _, f := range s.findings {
		fmt.Fprintf(&b, "%+v\n", f)
	}
	fmt.Fprintf(&b, "%+v %+v %+v %+v %v\n", s.sink.skips, s.skips, s.sink.done, s.Result, s.sink.log)
	return b.String()
}

// encodings are the forms in which a canary is looked for.
func encodings(value string) []string {
	var out []string
	for pad := range 3 { // base64 at every alignment, without the ends that neighbours change
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pad) + value))
		out = append(out, enc[4:len(enc)-4])
	}
	rev := []byte(value)
	slices.Reverse(rev)
	return append(out, value, strings.ToLower(value), hex.EncodeToString([]byte(value)), percent(value),
		url.QueryEscape(value), string(rev), base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(value))))[4:20],
		fmt.Sprintf("%v", []byte(value)))
}
