package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/notify"
)

// eventSchema is the published schema, and one that takes nothing but what it names.
func eventSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../../docs/event-v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var strict func(at any)
	strict = func(at any) {
		if m, is := at.(map[string]any); is {
			if _, has := m["properties"]; has {
				m["additionalProperties"] = false
			}
			for _, inner := range m {
				strict(inner)
			}
		}
	}
	strict(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validEvent(t testing.TB, s *jsonschema.Schema, e wire.FindingEvent) error {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// topicOf is a receiver of records.
func topicOf(name string) notify.Receiver {
	return notify.Receiver{Name: name, Kafka: &notify.Kafka{Brokers: []string{"localhost:9092"}, Topic: name}}
}

func (k *kit) recorder(b notify.Sender) *notify.Notifier {
	k.t.Helper()
	return k.with(notify.Config{
		URL: "https://revenant.example.org", Receivers: []notify.Receiver{topicOf("results")}, Rules: []notify.Rule{everything("results")},
	}, map[string]notify.Sender{"results": b})
}

// recorded are events as "1 opened leaked"; each is held against the schema.
func (b *inbox) recorded(t testing.TB, s *jsonschema.Schema) (out []string, list []wire.FindingEvent) {
	t.Helper()
	for _, m := range b.take() {
		if len(m.Events) > 0 {
			t.Errorf("a message with events beside its records: %+v", m)
		}
		for _, e := range m.Records {
			if err := validEvent(t, s, e); err != nil {
				t.Errorf("%+v: %v", e, err)
			}
			if e.Key() == "" || e.Finding != nil && e.Key() != string(e.Finding.ID) {
				t.Errorf("%+v has the key %q", e, e.Key())
			}
			list = append(list, e)
			out = append(out, strings.Join(slices.DeleteFunc([]string{string(e.Event), e.Was, string(e.Verdict), e.Source}, func(s string) bool { return s == "" }), " "))
		}
	}
	return out, list
}

// seenMany are sightings of a registered value at so many paths.
func (k *kit) seenMany(value string, n int) (out []registry.Observation) {
	k.t.Helper()
	for i := range n {
		out = append(out, k.seen(fmt.Sprintf("many/%d.env", i), value, k.rows("app")...))
	}
	return out
}

// TestRecords: a topic gets a record for each event at once, also for what was there
// before, and none twice.
func TestRecords(t *testing.T) {
	k, s := newKit(t), eventSchema(t)
	value, other := k.text(), k.text()
	k.add("app", value)
	before := k.seen("before.env", other)
	k.scan(before)
	b := &inbox{}
	n := k.recorder(b)
	told := func(what string, want ...string) []wire.FindingEvent {
		t.Helper()
		k.must(n.Round(k.ctx)) // and no window is waited for
		got, list := b.recorded(t, s)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
		return list
	}
	told("what was there", "opened unregistered")
	var many []string
	for range 60 { // more than a message to people names
		many = append(many, "opened leaked")
	}
	all := k.seenMany(value, len(many))
	k.scan(append(all, before)...)
	list := told("many at once", many...)
	for i := 1; i < len(list); i++ {
		if list[i].Sequence <= list[i-1].Sequence || list[i].ID == list[i-1].ID || list[i].Finding == nil || list[i].URL == "" {
			t.Fatalf("%+v after %+v", list[i], list[i-1])
		}
	}
	k.scan(all[0])
	gone := []string{"cleared unregistered cleared"}
	for range 59 {
		gone = append(gone, "cleared leaked cleared")
	}
	k.must(n.Round(k.ctx))
	got, _ := b.recorded(t, s)
	slices.Sort(got)
	slices.Sort(gone)
	if d := cmp.Diff(gone, got); d != "" {
		t.Errorf("gone (-want +got):\n%s", d)
	}
	k.retire("app", 1)
	told("retired", "changed leaked stale")
	k.must(n.Health(k.ctx, "kafka:c/t", "no broker can be reached"))
	told("a source that fails", "source-failing kafka:c/t")
	told("nothing more")
}

// TestRecordsAgain: what the topic did not take is sent again as it was, in an hour or
// in a week, also by another process, and what another process gave up is.
func TestRecordsAgain(t *testing.T) {
	k, s := newKit(t), eventSchema(t)
	value := k.text()
	k.add("app", value)
	b := &inbox{}
	n := k.recorder(b)
	k.must(n.Round(k.ctx))
	var ids []string
	b.fail = func(m notify.Message) error {
		for _, e := range m.Records {
			ids = append(ids, e.ID)
		}
		return errors.New("it does not answer")
	}
	k.scan(k.seenMany(value, 3)...)
	k.must(n.Round(k.ctx))
	k.wait(7 * 24 * time.Hour)
	b.fail = nil
	k.must(k.recorder(b).Round(k.ctx))
	_, list := b.recorded(t, s)
	var again []string
	for _, e := range list {
		again = append(again, e.ID)
	}
	if len(ids) != 3 || !slices.Equal(ids, again) {
		t.Errorf("sent again %v, want %v", again, ids)
	}
	k.retire("app", 1)
	b.fail = func(notify.Message) error { return errors.New("it does not answer") }
	k.must(n.Round(k.ctx))
	k.wait(31 * 24 * time.Hour)
	k.must(k.store.Update(k.ctx, func(tx store.Tx) error { _, err := tx.GiveUp(k.ctx, k.clock(), "nobody sends it"); return err }))
	b.fail = nil
	k.must(k.recorder(b).Round(k.ctx))
	if got, _ := b.recorded(t, s); len(got) != 3 {
		t.Errorf("what was given up: %v", got)
	}
}

// TestRecordsOfCommands: a command that alone sends to its topic tries at once what others
// of its kind could not send, however long they would have waited.
func TestRecordsOfCommands(t *testing.T) {
	k, s := newKit(t), eventSchema(t)
	value := k.text()
	k.add("app", value)
	b := &inbox{}
	command := func() *notify.Notifier {
		return k.built(notify.Options{
			Config: notify.Config{Receivers: []notify.Receiver{topicOf("results")}, Rules: []notify.Rule{everything("results")}},
			Feed:   "results", Senders: map[string]notify.Sender{"results": b},
		})
	}
	k.must(command().Round(k.ctx))
	k.scan(k.seen("a.env", value, k.rows("app")...))
	tries := 0
	b.fail = func(notify.Message) error { tries++; return errors.New("it does not answer") }
	for range 6 { // the next attempt of one process would be minutes away
		n := command()
		k.must(n.Round(k.ctx))
		k.must(n.Round(k.ctx)) // and one that goes on waits
	}
	if tries != 6 {
		t.Errorf("tried %d times", tries)
	}
	b.fail = nil
	k.must(command().Round(k.ctx))
	if got, _ := b.recorded(t, s); !slices.Equal(got, []string{"opened leaked"}) {
		t.Errorf("sent %v", got)
	}
}

// TestEventSchema: the schema knows the words of the program, and can say no.
func TestEventSchema(t *testing.T) {
	text, err := os.ReadFile("../../docs/event-v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Properties map[string]struct{ Enum []string }
		Defs       map[string]struct {
			Properties map[string]struct{ Enum []string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	finding, match := doc.Defs["finding"].Properties, doc.Defs["match"].Properties
	for name, c := range map[string]struct{ want, got []string }{
		"event":                 {plain(wire.Events()), doc.Properties["event"].Enum},
		"verdict":               {plain(fingerprints.Verdicts()), doc.Properties["verdict"].Enum},
		"severity":              {plain(fingerprints.Severities()), doc.Properties["severity"].Enum},
		"of a finding: verdict": {plain(fingerprints.Verdicts()), finding["verdict"].Enum}, "severity of a finding": {plain(fingerprints.Severities()), finding["severity"].Enum},
		"presence": {plain(fingerprints.Presences()), finding["presence"].Enum},
		"state":    {plain(fingerprints.States()), match["state"].Enum}, "class": {plain(fingerprints.Classes()), match["class"].Enum},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-program +schema):\n%s", name, d)
		}
	}
	for f := range reflect.TypeFor[wire.FindingEvent]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, has := doc.Properties[name]; !has {
			t.Errorf("it does not have %s", name)
		}
	}
	s := eventSchema(t)
	good := wire.FindingEvent{Schema: wire.EventV1, ID: "evt_abc_1", Sequence: 1, Event: wire.EventOpened, At: time.Unix(0, 0).UTC(), Severity: fingerprints.SeverityHigh}
	if err := validEvent(t, s, good); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*wire.FindingEvent){
		"version":  func(e *wire.FindingEvent) { e.Schema = "revenant.event/v2" },
		"id":       func(e *wire.FindingEvent) { e.ID = "" },
		"event":    func(e *wire.FindingEvent) { e.Event = "happened" },
		"severity": func(e *wire.FindingEvent) { e.Severity = "" },
		"finding":  func(e *wire.FindingEvent) { e.Finding = &wire.Finding{} },
		"key":      func(e *wire.FindingEvent) { e.FindingID = "rv1:x" },
	} {
		e := good
		spoil(&e)
		if validEvent(t, s, e) == nil {
			t.Errorf("it takes another %s", name)
		}
	}
}

func plain[W ~string](list []W) (out []string) {
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}
