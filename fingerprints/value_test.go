package fingerprints_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
)

// canary is a value that stands in no source file, and what betrays it.
type canary struct {
	plain []byte
	value fingerprints.Value
}

func newCanary(seed uint64) canary {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, 24)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return canary{plain: b, value: fingerprints.NewValue(b)}
}

// decimals is how printers show a byte slice: 104 117 110 ...
func decimals(b []byte, sep string) string {
	s := make([]string, len(b))
	for i, c := range b {
		s[i] = strconv.Itoa(int(c))
	}
	return strings.Join(s, sep)
}

// betrays reports which encoding of the canary stands in out, if any. Eight
// bytes of it are enough to count.
func (c canary) betrays(out []byte) string {
	low := bytes.ToLower(out)
	for i := 0; i+8 <= len(c.plain); i++ {
		part := c.plain[i : i+8]
		var hexes, goHex []string
		for _, b := range part {
			hexes = append(hexes, fmt.Sprintf("%02x", b))
			goHex = append(goHex, fmt.Sprintf("0x%x", b))
		}
		switch {
		case bytes.Contains(out, part):
			return "raw"
		case bytes.Contains(low, []byte(hex.EncodeToString(part))):
			return "hex"
		case bytes.Contains(low, []byte(strings.Join(hexes, " "))):
			return "spaced hex"
		case bytes.Contains(low, []byte(strings.Join(goHex, ", "))):
			return "Go syntax"
		case bytes.Contains(out, []byte(decimals(part, " "))), bytes.Contains(out, []byte(decimals(part, ","))), bytes.Contains(out, []byte(decimals(part, ", "))):
			return "decimals"
		}
	}
	for shift := range 3 {
		e := base64.StdEncoding.EncodeToString(c.plain[shift : shift+18])
		if bytes.Contains(out, []byte(e[:12])) {
			return "base64"
		}
	}
	return ""
}

func TestCanaryIsSeenWhereItStands(t *testing.T) {
	c := newCanary(1)
	for _, verb := range []string{"%s", "%q", "%x", "%X", "% x", "%v", "%d", "%#v"} {
		if c.betrays(fmt.Appendf(nil, verb, c.plain)) == "" {
			t.Errorf("a printed []byte with %s goes unnoticed: the other tests prove nothing", verb)
		}
	}
	if c.betrays([]byte(base64.StdEncoding.EncodeToString(c.plain))) == "" {
		t.Error("base64 goes unnoticed")
	}
}

// holder keeps a value where careless code would: exported, unexported,
// embedded, behind pointers, interfaces and containers.
type holder struct {
	Exported fingerprints.Value
	hidden   fingerprints.Value
	ptr      *fingerprints.Value
	slice    []fingerprints.Value
	array    [2]fingerprints.Value
	byName   map[string]fingerprints.Value
	iface    any
	fn       func() fingerprints.Value
	inner    struct{ deep *holder }
	embedding
}

type embedding struct{ fingerprints.Value }

func newHolder(v fingerprints.Value) holder {
	h := holder{
		Exported: v, hidden: v, ptr: &v, slice: []fingerprints.Value{v, v}, array: [2]fingerprints.Value{v, v},
		byName: map[string]fingerprints.Value{"password": v}, iface: v, fn: func() fingerprints.Value { return v },
		embedding: embedding{v},
	}
	inner := h
	h.inner.deep = &inner
	return h
}

// plainHolder has no promoted Format method, so printers walk its fields.
type plainHolder struct {
	a fingerprints.Value
	b *fingerprints.Value
	c []fingerprints.Value
	d map[string]fingerprints.Value
	e any
	f struct{ g fingerprints.Value }
	h map[string]any
}

func newPlainHolder(v fingerprints.Value) plainHolder {
	p := plainHolder{a: v, b: &v, c: []fingerprints.Value{v}, d: map[string]fingerprints.Value{"k": v}, e: &v}
	p.f.g = v
	p.h = map[string]any{"x": []any{v, &v}}
	return p
}

// shapes are all the things that a careless line could print.
func shapes(v fingerprints.Value) map[string]any {
	h, p := newHolder(v), newPlainHolder(v)
	return map[string]any{
		"value": v, "pointer": &v, "slice": []fingerprints.Value{v}, "map": map[string]fingerprints.Value{"k": v},
		"array": [1]fingerprints.Value{v}, "any": []any{v, &v}, "holder": h, "holder pointer": &h,
		"plain": p, "plain pointer": &p, "nested": map[string]any{"a": []any{&p, h}}, "embedding": embedding{v},
		"struct": struct{ v fingerprints.Value }{v}, "double pointer": ptr(&v),
	}
}

func ptr[T any](v T) *T { return &v }

func TestValueSurvivesEveryVerb(t *testing.T) {
	c := newCanary(2)
	flags := []string{"", "+", "#", " ", "0", "-", "+#", "# ", "40", ".3", "#40.10"}
	for name, shape := range shapes(c.value) {
		for verb := rune('A'); verb <= 'z'; verb++ {
			for _, flag := range flags {
				format := "%" + flag + string(verb)
				if how := c.betrays(fmt.Appendf(nil, format, shape)); how != "" {
					t.Errorf("%s printed with %s shows the value (%s)", name, format, how)
				}
			}
		}
		if how := c.betrays([]byte(fmt.Sprint(shape) + fmt.Sprintln("x", shape))); how != "" {
			t.Errorf("%s printed by Sprint shows the value (%s)", name, how)
		}
	}
}

func TestValuePrintsAPlaceholder(t *testing.T) {
	v := newCanary(3).value
	for _, format := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(format, v); got != "[secret]" {
			t.Errorf("%s gives %q, want a placeholder", format, got)
		}
	}
	for what, got := range map[string]string{"String": v.String(), "GoString": v.GoString(), "LogValue": v.LogValue().String()} {
		if got != "[secret]" {
			t.Errorf("%s gives %q, want a placeholder", what, got)
		}
	}
}

func TestValueSurvivesLoggers(t *testing.T) {
	c := newCanary(4)
	handlers := map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	}
	for kind, handler := range handlers {
		for name, shape := range shapes(c.value) {
			var out bytes.Buffer
			l := slog.New(handler(&out))
			l.Info("seen", "value", shape)
			l.With("with", shape).WithGroup("g").Error("seen", slog.Group("group", slog.Any("value", shape)))
			if out.Len() == 0 {
				t.Fatal("nothing was logged")
			}
			if how := c.betrays(out.Bytes()); how != "" {
				t.Errorf("%s logged as %s shows the value (%s)", name, kind, how)
			}
		}
	}
	var out bytes.Buffer
	log.New(&out, "", 0).Println(c.value, newPlainHolder(c.value))
	if how := c.betrays(out.Bytes()); how != "" {
		t.Errorf("package log shows the value (%s)", how)
	}
}

func TestValueSurvivesEncoders(t *testing.T) {
	c := newCanary(5)
	encoders := map[string]func(io.Writer, any) error{
		"json": func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
		"gob":  func(w io.Writer, v any) error { return gob.NewEncoder(w).Encode(v) },
		"xml":  func(w io.Writer, v any) error { return xml.NewEncoder(w).Encode(v) },
		"template": func(w io.Writer, v any) error {
			return template.Must(template.New("t").Parse("{{.}} {{printf `%v %q` . .}}")).Execute(w, v)
		},
	}
	for kind, encode := range encoders {
		for name, shape := range shapes(c.value) {
			var out bytes.Buffer
			err := encode(&out, shape) // refusing is as good as a placeholder
			if err != nil {
				out.WriteString(err.Error())
			}
			if how := c.betrays(out.Bytes()); how != "" {
				t.Errorf("%s encoded as %s shows the value (%s)", name, kind, how)
			}
		}
	}
	asKey, err := json.Marshal(map[fingerprints.FindingID]any{"f": map[string]fingerprints.Value{"v": c.value}})
	if err != nil || c.betrays(asKey) != "" {
		t.Errorf("JSON of a map of values: %s, %v", asKey, err)
	}
}

func TestValueEncodings(t *testing.T) {
	v := newCanary(6).value
	if got, err := json.Marshal(v); err != nil || string(got) != `"[secret]"` {
		t.Errorf("JSON gives %s, %v", got, err)
	}
	if got, err := v.MarshalText(); err != nil || string(got) != "[secret]" {
		t.Errorf("text gives %s, %v", got, err)
	}
	if got, err := v.MarshalBinary(); got != nil || !errors.Is(err, fingerprints.ErrPlaintext) {
		t.Errorf("binary gives %q, %v, want a refusal", got, err)
	}
	if got, err := v.GobEncode(); got != nil || !errors.Is(err, fingerprints.ErrPlaintext) {
		t.Errorf("gob gives %q, %v, want a refusal", got, err)
	}
	var into struct{ V fingerprints.Value }
	if err := json.Unmarshal([]byte(`{"V":"typed by somebody"}`), &into); !errors.Is(err, fingerprints.ErrPlaintext) {
		t.Errorf("JSON was decoded into a value: %v", err)
	}
	if !into.V.IsEmpty() {
		t.Error("a refused decoding left something behind")
	}
}

// dump prints everything that reflection reaches, unexported fields included,
// as the dumping libraries do.
func dump(w io.Writer, v reflect.Value, depth int) {
	if depth > 12 {
		return
	}
	fmt.Fprintf(w, "%s ", v.Kind())
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dump(w, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			dump(w, f, depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dump(w, v.Index(i), depth+1)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			dump(w, k, depth+1)
			dump(w, v.MapIndex(k), depth+1)
		}
	case reflect.String:
		fmt.Fprintf(w, "%q ", v.String())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		fmt.Fprintf(w, "%d ", v.Uint())
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		fmt.Fprintf(w, "%x ", v.Pointer())
	default:
		fmt.Fprintf(w, "%v ", v)
	}
}

func TestValueSurvivesReflection(t *testing.T) {
	c := newCanary(7)
	for name, shape := range shapes(c.value) {
		var out bytes.Buffer
		dump(&out, reflect.ValueOf(shape), 0)
		if how := c.betrays(out.Bytes()); how != "" {
			t.Errorf("a walk over %s by reflection shows the value (%s)", name, how)
		}
	}
	var control bytes.Buffer
	dump(&control, reflect.ValueOf(struct{ b []byte }{c.plain}), 0)
	if !bytes.Contains(control.Bytes(), []byte("uint8 "+strconv.Itoa(int(c.plain[0])))) {
		t.Error("the walk does not reach bytes in unexported fields: the test proves nothing")
	}
}

func TestValueSurvivesDiffs(t *testing.T) {
	c, d := newCanary(8), newCanary(9)
	all := cmp.Exporter(func(reflect.Type) bool { return true })
	asIdentity := cmp.Comparer(func(a, b fingerprints.Value) bool { return a.Equal(b) })
	for name, opts := range map[string][]cmp.Option{"equal method": {all}, "comparer": {all, asIdentity}} {
		// go-cmp finds Equal by itself; the diff then prints both sides.
		diff := cmp.Diff(newPlainHolder(c.value), newPlainHolder(d.value), opts...)
		if diff == "" {
			t.Fatalf("%s: different values compare as equal", name)
		}
		if how := c.betrays([]byte(diff)) + d.betrays([]byte(diff)); how != "" {
			t.Errorf("%s: a diff shows a value (%s)", name, how)
		}
	}
	if diff := cmp.Diff(newPlainHolder(c.value), newPlainHolder(fingerprints.NewValue(c.plain)), all); diff != "" {
		t.Errorf("equal values differ:\n%s", diff)
	}
}

func TestValueSurvivesErrorsAndPanics(t *testing.T) {
	c := newCanary(10)
	err := fmt.Errorf("registering %v: %w", newPlainHolder(c.value), errors.Join(fingerprints.ErrPlaintext, fmt.Errorf("%+v %#v", c.value, &c.value)))
	if how := c.betrays([]byte(err.Error())); how != "" {
		t.Errorf("a wrapped error shows the value (%s)", how)
	}
	func() {
		defer func() {
			out := fmt.Sprintf("%v %+v\n%s", recover(), newHolder(c.value), debug.Stack())
			if how := c.betrays([]byte(out)); how != "" {
				t.Errorf("a panic shows the value (%s)", how)
			}
		}()
		panic(newPlainHolder(c.value))
	}()
}

func TestValueHoldsWhatItWasGiven(t *testing.T) {
	plain := []byte("not a secret, only bytes \x00\xff")
	v := fingerprints.NewValue(plain)
	kept := bytes.Clone(plain)
	plain[0] = 'X'
	if !bytes.Equal(v.Reveal(), kept) {
		t.Error("changing the caller's slice changed the value")
	}
	if v.Len() != len(kept) || v.IsEmpty() {
		t.Errorf("Len is %d, IsEmpty %v", v.Len(), v.IsEmpty())
	}
	if !v.Equal(fingerprints.NewValue(kept)) || v.Equal(fingerprints.NewValue(plain)) || v.Equal(fingerprints.NewValue(kept[:5])) {
		t.Error("Equal does not compare bytes")
	}
	var zero fingerprints.Value
	for name, e := range map[string]fingerprints.Value{"zero": zero, "nil": fingerprints.NewValue(nil), "empty": fingerprints.NewValue([]byte{})} {
		if !e.IsEmpty() || e.Len() != 0 || len(e.Reveal()) != 0 || !e.Equal(zero) {
			t.Errorf("%s value is not empty", name)
		}
	}
}
