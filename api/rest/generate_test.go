package rest_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
)

// canary stands in every text that is made up: no refusal and no log may hold it.
const canary = "canary-sk_live_51H8xJ2eZvKYlo2C"

// maker makes requests from the document: mostly what it allows, and now and then
// what it does not.
type maker struct {
	doc   map[string]any
	rand  *rand.Rand
	known map[string][]string // by the name of a parameter or property: what there is

	// room is how many bytes of long texts, and left how many items, a request may still
	// have: lists of lists of long texts would take minutes and gigabytes to say no more.
	room, left int
}

const (
	maxMade  = 5 << 18 // somewhat more than the most that a body may have
	maxItems = 10_000
)

// made is a request, and what it breaks of the document; empty: nothing.
type made struct {
	path, body, kind string
	header           map[string]string
	broken           []string
}

func (m *maker) one(in int) bool { return m.rand.IntN(in) == 0 }

func pick[T any](m *maker, list ...T) T { return list[m.rand.IntN(len(list))] }

// resolve follows a reference of the document.
func (m *maker) resolve(schema map[string]any) map[string]any {
	ref, is := schema["$ref"].(string)
	if !is {
		return schema
	}
	at := any(m.doc)
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(map[string]any)[part]
	}
	return at.(map[string]any)
}

func number(schema map[string]any, key string, otherwise int) int {
	if n, is := schema[key].(float64); is {
		return int(n)
	}
	return otherwise
}

func typeIn(schema map[string]any) (kind string, nullable bool) {
	switch k := schema["type"].(type) {
	case string:
		return k, false
	case []any:
		kind, _ = k[0].(string)
		return kind, len(k) > 1
	}
	return "", false
}

// odd are texts that parsers, databases and terminals trip over.
func odd() []string {
	return []string{
		"", " ", "\x00", "a\x00b", "\u202egnp.exe", "\ufeff", "é\u0301", strings.Repeat("\u0301", 40), "🙂👩‍👩‍👧", "\ufffd", "\U0010ffff", "%", "%00", "%2F", "../../etc/passwd", `\`, `'`, `"`, "';--", "*", "**", "[", "{a,b",
		"\r\nX-Header: y", "NaN", "-0", "1e309", "null", "true", "<script>", "${x}", "a/b", "/", ".", "..", "\u2028", "ſ", "İ", "\x7f", "\t", "rv1:", "rv1:0",
	}
}

// text is one that a schema of a text allows, or, where it is to break it, none.
func (m *maker) text(name string, schema map[string]any, breaks bool) (text string, broke bool) {
	least, most := number(schema, "minLength", 0), number(schema, "maxLength", 1<<14)
	if list, is := schema["enum"].([]any); is {
		if breaks {
			return canary, true
		}
		return list[m.rand.IntN(len(list))].(string), false
	}
	switch {
	case breaks && least > 0 && m.one(2):
		return strings.Repeat("x", least-1), true
	case breaks && schema["maxLength"] != nil:
		return canary + strings.Repeat("é", most), true
	}
	if schema["format"] == "date-time" {
		if breaks {
			return pick(m, "2026-02-30T00:00:00Z", canary, "12", "2026-11-26"), true
		}
		return pick(m, "2099-01-31T00:00:00Z", "2000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-26T12:00:00+14:00"), false
	}
	if list := m.known[name]; len(list) > 0 && !m.one(3) {
		return list[m.rand.IntN(len(list))], false
	}
	long := most
	if long > m.room {
		long = min(most, 8)
	}
	text = pick(m, canary, "x", canary+pick(m, odd()...), pick(m, odd()...), strings.Repeat("z", long), strings.Repeat("é", long), pick(m, odd()...)+canary)
	m.room -= len(text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most])
	}
	for len([]rune(text)) < least {
		text += "x"
	}
	return text, false
}

// value is a JSON value for a schema.
func (m *maker) value(name string, schema map[string]any, depth int, breaks bool) (v any, broke bool) {
	schema = m.resolve(schema)
	kind, nullable := typeIn(schema)
	if nullable && m.one(6) {
		return nil, false
	}
	if breaks && kind != "" && m.one(2) { // another type
		others := map[string]any{"string": canary, "integer": 7, "boolean": true, "object": map[string]any{canary: canary}, "array": []any{canary}, "number": 1.5}
		if kind == "number" {
			delete(others, "integer")
		}
		delete(others, kind)
		return others[pick(m, slices.Sorted(maps.Keys(others))...)], true
	}
	switch kind {
	case "object":
		return m.object(schema, depth, breaks)
	case "array":
		return m.list(name, schema, depth, breaks)
	case "boolean":
		return m.one(2), false
	case "integer", "number":
		least, most := number(schema, "minimum", -5), number(schema, "maximum", 1<<31)
		if breaks && schema["minimum"] != nil {
			return least - 1, true
		}
		return pick(m, least, most, max(least, 1), least+m.rand.IntN(most-least)), false
	}
	return m.text(name, schema, breaks)
}

func (m *maker) list(name string, schema map[string]any, depth int, breaks bool) (any, bool) {
	least, most := number(schema, "minItems", 0), number(schema, "maxItems", 40)
	items, _ := schema["items"].(map[string]any)
	n := pick(m, least, min(most, least+1), min(most, least+m.rand.IntN(5)), most)
	if n > m.left {
		n = least
	}
	long := breaks && schema["maxItems"] != nil && m.one(2)
	if long {
		n = most + 1
	}
	m.left -= n
	out := make([]any, n)
	broke := long
	for i := range out {
		var b bool
		out[i], b = m.value(name, items, depth+1, breaks && !broke)
		broke = broke || b
	}
	return out, broke
}

func (m *maker) object(schema map[string]any, depth int, breaks bool) (any, bool) {
	out, broke := map[string]any{}, false
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		must := slices.Contains(required, any(name))
		if !must && m.one(2) {
			continue
		}
		if must && breaks && !broke && m.one(2*len(properties)) {
			broke = true
			continue
		}
		v, b := m.value(name, properties[name].(map[string]any), depth+1, breaks && !broke && m.one(len(properties)))
		out[name], broke = v, broke || b
	}
	if breaks && !broke && schema["additionalProperties"] == false {
		out[canary] = canary
		broke = true
	}
	return out, broke
}

// request makes one for an operation.
func (m *maker) request(path string, item map[string]any) made {
	out := made{header: map[string]string{}, kind: "application/json"}
	m.room, m.left = maxMade, maxItems
	parameters, _ := item["parameters"].([]any)
	body, _ := item["requestBody"].(map[string]any)
	breakAt := -1
	if m.one(2) {
		breakAt = m.rand.IntN(len(parameters) + 2)
	}
	query := url.Values{}
	for i, p := range parameters {
		m.parameter(&out, p.(map[string]any), &path, query, i == breakAt)
	}
	if breakAt == len(parameters) && m.one(3) {
		query.Set(canary, canary)
		out.broken = append(out.broken, "an unknown parameter")
	}
	if body != nil {
		m.body(&out, body, breakAt > len(parameters))
	}
	out.path = path
	if len(query) > 0 {
		out.path += "?" + query.Encode()
	}
	return out
}

func (m *maker) parameter(out *made, p map[string]any, path *string, query url.Values, breaks bool) {
	name, in := p["name"].(string), p["in"].(string)
	if in != "path" && p["required"] != true && !breaks && m.one(2) {
		return
	}
	v, broke := m.value(name, p["schema"].(map[string]any), 0, breaks)
	var texts []string
	for _, one := range asList(v) {
		text, is := one.(string)
		if !is {
			b, _ := json.Marshal(one)
			text = string(b)
		}
		texts = append(texts, text)
	}
	kind, _ := typeIn(p["schema"].(map[string]any))
	if kind == "string" || kind == "array" { // everything is a text here
		_, isText := v.(string)
		_, isList := v.([]any)
		broke = broke && (kind == "string" && isText || kind == "array" && isList)
	}
	switch {
	case len(texts) == 0:
		return
	case in == "path":
		if texts[0] == "" || texts[0] == "." || texts[0] == ".." { // no such path
			texts[0], broke = "x"+texts[0]+"xxxx", false
		}
		*path = strings.ReplaceAll(*path, "{"+name+"}", url.PathEscape(texts[0]))
	case in == "header":
		out.header[name] = strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return 'h'
			}
			return r
		}, texts[0])
		broke = false // its length is another now
	default:
		query.Set(name, strings.Join(texts, ","))
		if kind == "array" {
			broke = false // a comma in a text makes two of it
		}
	}
	if broke {
		out.broken = append(out.broken, name)
	}
}

func asList(v any) []any {
	if list, is := v.([]any); is {
		return list
	}
	return []any{v}
}

func (m *maker) body(out *made, body map[string]any, breaks bool) {
	required := body["required"] == true
	if !required && m.one(3) {
		return
	}
	content := body["content"].(map[string]any)["application/json"].(map[string]any)
	if breaks && m.one(4) {
		out.broken = append(out.broken, "the body")
		switch m.rand.IntN(5) {
		case 0:
			out.body = `{"` + canary
		case 1:
			out.body = strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
		case 2:
			out.body = `{"` + canary + `":"` + strings.Repeat("x", 1<<20) + `"}`
		case 3:
			out.body, out.kind = "<"+canary+"/>", "application/xml; "+canary
		case 4:
			out.body = "\xff\xfe" + canary
		}
		return
	}
	v, broke := m.value("", content["schema"].(map[string]any), 0, breaks)
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	out.body = string(b)
	if broke {
		out.broken = append(out.broken, "the body's properties")
	}
}
