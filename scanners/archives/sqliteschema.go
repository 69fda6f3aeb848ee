package archives

import (
	"io"
	"slices"
	"strconv"
	"strings"
)

// tree is a table or an index of a database.
type tree struct {
	name    string
	root    uint32
	columns []string
	index   bool
}

// What is kept of a schema.
const (
	maxSQL         = 64 << 10 // of a statement
	maxSchemaNames = 4 << 20  // of all columns
	maxColumnName  = 64
)

// schema lists the tables and indexes, the schema itself first.
func (d *database) schema() ([]tree, bool) {
	trees := []tree{{name: "sqlite_schema", root: 1, columns: []string{"type", "name", "tbl_name", "rootpage", "sql"}}}
	p := d.b.pass()
	room := maxSchemaNames
	p.tree(1, 0, func(c cell) bool {
		t, ok := p.entry(c)
		if !ok {
			return true
		}
		for i, name := range t.columns {
			if room -= len(name) + 16; room < 0 {
				t.columns = t.columns[:i]
				break
			}
		}
		room -= len(t.name) + 64
		if t.name == "" || len(t.name) > maxColumnName && room < 0 {
			t.name = "table-" + strconv.FormatUint(uint64(t.root), 10)
		}
		trees = append(trees, t)
		return len(trees) <= d.e.w.entries // the one beyond the bound is what lists it
	})
	return trees, p.damaged
}

// entry reads a row of the schema; ok is false for what has no tree.
func (p *pass) entry(c cell) (t tree, ok bool) {
	r := p.payload(c)
	columns, whole := r.columns()
	if !whole || len(columns) < 5 {
		p.damaged = p.damaged || !whole
		return t, false
	}
	var text [5]string
	for i := range text {
		s := &section{p: r, left: columns[i].size}
		if columns[i].kind < 12 {
			b := make([]byte, columns[i].size)
			_, _ = io.ReadFull(s, b)
			for _, c := range b {
				t.root = t.root<<8 | uint32(c)
			}
			if i != 3 {
				t.root = 0
			}
			continue
		}
		text[i] = p.b.string(s, []int64{maxColumnName, maxName, maxName, 0, maxSQL}[i])
		r.skip(s.left)
	}
	if columns[3].kind == 9 {
		t.root = 1
	}
	t.name, t.index = text[1], strings.EqualFold(text[0], "index")
	t.columns = columnNames(text[4])
	return t, t.root > 1
}

// string reads a text of the database's encoding, up to a length.
func (b *book) string(s *section, most int64) string {
	var r io.Reader = s
	if b.encoding == encodingUTF16LE || b.encoding == encodingUTF16BE {
		r = &utf16Reader{r: s, big: b.encoding == encodingUTF16BE}
	}
	text, _ := io.ReadAll(io.LimitReader(r, most))
	return string(text)
}

// columnNames are the columns of a CREATE statement in the order in which a
// record holds them. It is a guess that only names what a row shows.
func columnNames(sql string) []string {
	open := strings.IndexByte(sql, '(')
	if open < 0 {
		return nil
	}
	list, rest := parts(sql[open+1:])
	without := strings.Contains(strings.ToUpper(strings.Join(strings.Fields(rest), " ")), "WITHOUT ROWID")
	var names, keys []string
	for _, words := range list {
		upper := strings.ToUpper(strings.Join(words, " "))
		first := strings.ToUpper(words[0])
		key := strings.Contains(upper, "PRIMARY KEY")
		if slices.Contains([]string{"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}, first) && len(words) > 1 {
			if key {
				keys = append(keys, keyColumns(words)...)
			}
			continue
		}
		if strings.Contains(upper, " AS (") && !strings.Contains(upper, "STORED") {
			continue // a generated column that is stored nowhere
		}
		name := columnName(words[0])
		names = append(names, name)
		if key {
			keys = append(keys, name)
		}
	}
	if !without {
		return names
	}
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(keys, n) })
	return append(keys, names...)
}

// keyColumns are the columns of a PRIMARY KEY that stands by itself.
func keyColumns(words []string) []string {
	var keys []string
	inside := false
	for _, w := range words {
		switch {
		case w == "(":
			inside = true
		case w == ")":
			return keys
		case inside && w != "," && !slices.Contains([]string{"ASC", "DESC", "COLLATE"}, strings.ToUpper(w)):
			keys = append(keys, columnName(w))
		}
	}
	return keys
}

// columnName takes the quotes off, and leaves only what a label may hold.
func columnName(word string) string {
	word = strings.Trim(word, "\"'`[]")
	return strings.Map(func(r rune) rune {
		if r == '=' || r == '"' || r < ' ' {
			return '_'
		}
		return r
	}, word[:min(len(word), maxColumnName)])
}

// parts cuts a list at its commas into words, up to the bracket that ends it.
func parts(sql string) (list [][]string, rest string) {
	var words []string
	depth := 0
	for i := 0; i < len(sql); {
		n := wordLen(sql[i:])
		w := sql[i : i+n]
		i += n
		switch {
		case w == "(":
			depth++
		case w == ")":
			depth--
		}
		switch {
		case depth < 0 || w == "," && depth == 0:
			if len(words) > 0 && len(list) < maxColumns {
				list = append(list, words)
			}
			words = nil
			if depth < 0 {
				return list, sql[i:]
			}
		case strings.TrimSpace(w) != "" && !strings.HasPrefix(w, "--") && !strings.HasPrefix(w, "/*"):
			words = append(words, w)
		}
	}
	if len(words) > 0 {
		list = append(list, words)
	}
	return list, ""
}

// wordLen is the length of the word at the start of a statement, with its quotes.
func wordLen(sql string) int {
	until := func(end string, from int) int {
		if i := strings.Index(sql[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(sql)
	}
	switch c := sql[0]; {
	case c == '"' || c == '\'' || c == '`':
		return until(string(c), 1)
	case c == '[':
		return until("]", 1)
	case strings.HasPrefix(sql, "--"):
		return until("\n", 2)
	case strings.HasPrefix(sql, "/*"):
		return until("*/", 2)
	case strings.IndexByte("(), \t\r\n", c) >= 0:
		return 1
	}
	if i := strings.IndexAny(sql, "(), \t\r\n\"'`["); i > 0 {
		return i
	}
	return len(sql)
}
