package image

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// part is a piece of what an image says of itself, as a content of its own.
type part struct{ path, text string }

// configParts are the pieces of a configuration. What none of them has stands in
// @config, as JSON; one that cannot be read is @config as it is.
func configParts(raw []byte) []part {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return []part{{"@config", string(raw)}}
	}
	c := parts{heard: heard{"container_config": true}}
	for _, name := range []string{"config", "container_config"} {
		var inner map[string]json.RawMessage
		if json.Unmarshal(all[name], &inner) != nil || inner == nil {
			continue
		}
		c.execution(inner)
		if len(inner) == 0 {
			delete(all, name)
			continue
		}
		if b, err := json.Marshal(inner); err == nil {
			all[name] = b
		}
	}
	c.history(all)
	c.word(all, "author", "@author")
	for _, known := range []string{"architecture", "os", "rootfs", "created", "variant", "os.version"} {
		delete(all, known) // digests and times
	}
	if b, err := json.Marshal(all); err == nil && len(all) > 0 {
		c.add("@config", string(b))
		c.heard.add(wordsOf(b)...)
	}
	c.add("@config", c.heard.untold(raw))
	return c.list
}

// parts are gathered without repeating any: builders write a configuration twice.
type parts struct {
	list  []part
	heard heard
}

func (c *parts) add(path, text string) {
	p := part{path, text}
	if text != "" && !slices.Contains(c.list, p) {
		c.list = append(c.list, p)
	}
}

// execution takes what a container is run with.
func (c *parts) execution(m map[string]json.RawMessage) {
	for _, kv := range c.words(m, "Env") {
		name, _, _ := strings.Cut(kv, "=")
		c.add("@env/"+name, kv)
	}
	c.named(m, "Labels", "@label/")
	for key, path := range map[string]string{"Cmd": "@command", "Entrypoint": "@entrypoint", "OnBuild": "@onbuild", "Shell": "@shell"} {
		c.add(path, strings.Join(c.words(m, key), "\n"))
	}
	var health map[string]json.RawMessage
	if json.Unmarshal(m["Healthcheck"], &health) == nil {
		c.word(health, "Test", "@healthcheck")
		if rest, err := json.Marshal(health); err == nil && len(health) > 0 {
			m["Healthcheck"] = rest
		} else {
			delete(m, "Healthcheck")
		}
	}
	slices.SortStableFunc(c.list, func(a, b part) int { return strings.Compare(a.path, b.path) })
	for key, b := range m { // what says nothing
		if s := string(bytes.TrimSpace(b)); s == "null" || s == "false" || s == `""` || s == "{}" || s == "[]" {
			delete(m, key)
		}
	}
}

// words takes a list of texts, or one text.
func (c *parts) words(m map[string]json.RawMessage, key string) (out []string) {
	if json.Unmarshal(m[key], &out) == nil {
		delete(m, key)
		c.heard.add(out...)
		return out
	}
	var one string
	if json.Unmarshal(m[key], &one) == nil {
		delete(m, key)
		c.heard.add(one)
		return []string{one}
	}
	return nil
}

// word takes one text.
func (c *parts) word(m map[string]json.RawMessage, key, path string) {
	c.add(path, strings.Join(c.words(m, key), "\n"))
}

// named takes texts with names.
func (c *parts) named(m map[string]json.RawMessage, key, below string) {
	var texts map[string]string
	if json.Unmarshal(m[key], &texts) != nil {
		return
	}
	delete(m, key)
	c.heard.named(texts)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		c.add(below+name, name+"="+texts[name])
	}
}

// instruction is one step of how an image was made.
type instruction struct {
	text  string
	words []string // that it is made of
	empty bool     // it made no layer
}

// history takes the steps that made the image: build arguments stand there.
func (c *parts) history(all map[string]json.RawMessage) {
	steps := historyOf(all["history"])
	if steps == nil {
		return
	}
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(s.text)
		b.WriteByte('\n')
		c.heard.add(s.words...)
	}
	c.add("@history", b.String())
	delete(all, "history")
}

// historyOf reads the steps, in their order.
func historyOf(raw json.RawMessage) (out []instruction) {
	var list []struct {
		CreatedBy  string `json:"created_by"`
		Author     string `json:"author"`
		Comment    string `json:"comment"`
		EmptyLayer bool   `json:"empty_layer"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, h := range list {
		text := h.CreatedBy
		for _, more := range []string{h.Comment, h.Author} {
			if more != "" {
				text += " # " + more
			}
		}
		out = append(out, instruction{text, []string{h.CreatedBy, h.Comment, h.Author}, h.EmptyLayer})
	}
	return out
}

// instructions are the steps that made the layers, as many as there are layers;
// nil when the history does not fit them.
func instructions(raw []byte, layers int) []string {
	var c struct {
		History json.RawMessage `json:"history"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return nil
	}
	var out []string
	for _, s := range historyOf(c.History) {
		if !s.empty {
			out = append(out, s.text)
		}
	}
	if len(out) != layers {
		return nil
	}
	return out
}

// ownerLabels say whose an image is, the first one counts: what people write, and
// the keys of the OCI image specification, "Pre-Defined Annotation Keys".
var ownerLabels = [...]string{"owner", "team", "org.opencontainers.image.authors", "maintainer", "org.opencontainers.image.vendor"}

// ownerOf is whose an image is, as its labels, annotations or author say.
func ownerOf(p picture) string {
	var c struct {
		Author string
		Config struct{ Labels map[string]string }
	}
	_ = json.Unmarshal(p.config, &c) // a damaged one is listed elsewhere
	for _, key := range ownerLabels {
		for _, labels := range []map[string]string{c.Config.Labels, p.annotations} {
			for _, name := range slices.Sorted(maps.Keys(labels)) {
				if (strings.EqualFold(name, key) || strings.HasSuffix(strings.ToLower(name), "."+key) && !strings.Contains(key, ".")) && labels[name] != "" {
					return labels[name]
				}
			}
		}
	}
	return c.Author
}
