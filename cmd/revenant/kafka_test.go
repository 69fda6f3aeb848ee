package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

// topicsServer is a cluster in the process.
type topicsServer struct {
	t    testing.TB
	addr string
	*kafkago.Client
}

func newTopics(t testing.TB, names ...string) *topicsServer {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("c1"), kfake.SeedTopics(2, names...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	addr := c.ListenAddrs()[0]
	return &topicsServer{t, addr, &kafkago.Client{Addr: kafkago.TCP(addr), Timeout: 10 * time.Second}}
}

// write writes a message, and returns its value.
func (c *topicsServer) write(topic string, part int, r kafkago.Record, value string) string {
	c.t.Helper()
	r.Value = kafkago.NewBytes([]byte(value))
	res, err := c.Produce(context.Background(), &kafkago.ProduceRequest{
		Topic: topic, Partition: part, RequiredAcks: kafkago.RequireAll, Compression: kafkago.Zstd, Records: kafkago.NewRecordReader(r),
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return value
}

// toldMessage is a finding in a topic.
type toldMessage struct{ Verdict, File, Locator, Presence, Form, Source string }

func (b *box) toldOfTopics(r ran) (out []toldMessage) {
	b.t.Helper()
	var list []struct {
		File, Verdict, Presence, Form, Source, Locator string
	}
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
		b.t.Fatalf("%v in %s %s", err, r.stdout, r.stderr)
	}
	for _, f := range list {
		out = append(out, toldMessage{f.Verdict, f.File, f.Locator, f.Presence, f.Form, f.Source})
	}
	return out
}

// TestKafka: payloads of many kinds, what goes on and what is read again, what is known
// of it afterwards.
func TestKafka(t *testing.T) {
	b, c := newBox(t), newTopics(t, "app", "other")
	value := newCanary(rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)), "").value
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "billing/db")
	packed := func(s string) string {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for i := range 300 {
		c.write("app", i%2, kafkago.Record{Key: kafkago.NewBytes([]byte("order-17"))}, fmt.Sprintf(`{"message":"nothing in number %d"}`, i))
	}
	nested, err := json.Marshal(map[string]string{"message": `{"login":"` + value + `"}`})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{
		`{"before":{"id":1,"token":"` + value + `"},"after":{"id":1,"token":null},"op":"u"}`, string(nested), "data:" + base64.StdEncoding.EncodeToString([]byte("x"+value+"y")),
		"\x00\x00\x00\x00\x07" + string(rune(2*len(value))) + value + "\x04ab", packed("login " + value), strings.Repeat("padding ", 120_000) + value,
	} {
		c.write("app", 0, kafkago.Record{}, v)
	}
	c.write("app", 1, kafkago.Record{Key: kafkago.NewBytes([]byte(value)), Headers: []kafkago.Header{{Key: "authorization", Value: []byte("Bearer " + value)}}}, "nothing")
	scan := []string{"kafka", c.addr, "-f", "json", "-r", "-", "-q", "--only", "registered"}
	want := []toldMessage{}
	for i, form := range []string{"raw", "raw", "base64", "raw", "compressed", "raw"} {
		m := toldMessage{"leaked", "@value", fmt.Sprintf("partition 0 offset %d", 150+i), "retained", form, "kafka:c1/app"}
		if form == "compressed" {
			m.File, m.Form = "@value!content", "raw"
		}
		want = append(want, m)
	}
	for _, path := range []string{"@key", "@header/authorization"} {
		want = append(want, toldMessage{"leaked", path, "partition 1 offset 150", "retained", "raw", "kafka:c1/app"})
	}
	first := b.toldOfTopics(b.must(1, "", scan...))
	less := cmp.Transformer("sorted", func(in []toldMessage) map[string]toldMessage {
		out := map[string]toldMessage{}
		for _, m := range in {
			out[m.File+m.Locator+m.Form] = m
		}
		return out
	})
	if diff := cmp.Diff(want, first, less); diff != "" {
		t.Fatalf("findings (-want +got):\n%s", diff)
	}
	if got := b.toldOfTopics(b.must(0, "", scan...)); len(got) > 0 {
		t.Errorf("once more: %v", got)
	}
	c.write("other", 1, kafkago.Record{}, "again "+value)
	if got := b.toldOfTopics(b.must(1, "", scan...)); len(got) != 1 || got[0].Source != "kafka:c1/other" {
		t.Errorf("with one new: %v", got)
	}
	if got := b.toldOfTopics(b.must(1, "", append(scan, "--start", "earliest")...)); len(got) != len(want)+1 {
		t.Errorf("%d findings from the earliest on, want %d", len(got), len(want)+1)
	}
	b.must(0, "", "coverage", "billing/db@1", "--json")
	if got := b.must(0, "", "coverage", "billing/db@1").stdout; !strings.Contains(got, "complete") || strings.Contains(got, "not complete") {
		t.Errorf("coverage: %s", got)
	}
	if found := (canaries{{"value", value}}).inTree(t, b.dir); len(found) > 0 {
		t.Errorf("written in clear: %v", found)
	}
}

// TestKafkaUsage: what does not go together is told before anybody is asked.
func TestKafkaUsage(t *testing.T) {
	b := newBox(t)
	for _, c := range []struct{ args, want string }{
		{"", "BROKER"},
		{"localhost", "HOST:PORT"},
		{"h:9092 --start yesterday", "--start is"},
		{"h:9092 --group g --no-store", "--no-store"},
		{"h:9092 --group g --start latest", "--start would"},
		{"h:9092 --sasl kerberos", "--sasl is"},
		{"h:9092 --user u", "--sasl"},
		{"h:9092 --sasl plain --user u --password hunter2", "--password"},
		{"h:9092 --ca-file x", "--tls"},
		{"h:9092 --tls --cert-file x", "belong together"},
		{"h:9092 --buffer 0", "--buffer"},
		{"h:9092 --source dir:/x", "--source"},
		{"h:9092 --tls --ca-file /nonexistent", "--ca-file"},
	} {
		r := b.must(2, "", append([]string{"kafka"}, strings.Fields(c.args)...)...)
		if !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, "hunter2") {
			t.Errorf("%s: %s", c.args, r.stderr)
		}
	}
	c := newTopics(t, "a")
	b.must(2, "", "kafka", c.addr, "--topic", "absent")
	b.must(2, "", "kafka", c.addr, "--topic", "a[b")
}

// topics drives scans of topics.
func (w *walk) topics(added, rotated string) {
	c := newTopics(w.t, "logs", "out")
	c.write("logs", 0, kafkago.Record{Key: kafkago.NewBytes([]byte(rotated)), Headers: []kafkago.Header{{Key: added, Value: []byte("x")}}}, "login with "+added)
	c.write("logs", 1, kafkago.Record{}, base64.StdEncoding.EncodeToString([]byte(rotated)))
	w.do("", "kafka", c.addr, "-r", w.out("topics.json"), "-r", w.out("topics.sarif"))
	w.do("", "kafka", c.addr, "--results", "out")
	w.try("", "kafka", c.addr, "--results", w.plant("topic of results"))
	w.do("", "kafka", c.addr, "--start", "earliest", "--topic", "log*")
	w.try("", "kafka", c.addr, "--topic", w.plant("topic"))
	w.try("", "kafka", c.addr, "--sasl", "plain", "--user", "u", "--password", w.plant("password in place of a reference"))
	w.try("", "kafka", w.plant("broker"))
}
