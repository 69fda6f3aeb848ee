package rules

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what is read as a table.
const (
	longestRow  = 4 << 10
	tallest     = 32 << 10 // bytes from the headings on: half of what neighbouring chunks share
	mostColumns = 64
	widest      = 2 << 10 // bytes of the names of columns in an INSERT
	longestName = 40      // of a column
)

// cell is a secret in a table.
type cell struct{ row, value extent }

// tabled finds what stands in the columns of tables whose headings say that secrets do:
// of CSV and the like, of Markdown, of what databases print, and of SQL's INSERT; and
// what stands beside such a name in a table of two columns. The rule's matches are names
// with what may end a heading.
func (j *judge) tabled(r *rule) (out []finding) {
	done := 0
	for _, at := range j.search.begins(r.index) {
		if at < done {
			continue
		}
		t := tableText{text: j.layer.text}
		first, to := t.at(at)
		j.sc.hangs.on(max(0, first-1), to+1) // also on what may be added
		j.sc.work += to - first
		done = to
		for _, c := range t.cells {
			if f, ok := j.judge(r, c.row, c.value); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// tableText reads a table in a text.
type tableText struct {
	text  string
	cells []cell
	heads []heading // of the columns that are asked for
	users bool      // a column says whose the secrets are
}

// heading is the name of a column of secrets.
type heading struct {
	column   int
	password bool // not a key or a token, which are made by chance
}

// at reads the table that has a name at a place in its headings. It returns from where to
// where it read.
func (t *tableText) at(place int) (from, to int) {
	line := t.row(place)
	if line.end-line.start > longestRow {
		return line.start, max(line.end, place+1)
	}
	if strings.HasPrefix(t.text[place:], "chpasswd") {
		return line.start, max(t.accounts(line.end), place+1)
	}
	if from, to, ok := t.insert(place); ok {
		return from, to
	}
	row := t.text[line.start:line.end]
	sep := separator(row)
	if sep == "" || sep != "|" && strings.ContainsAny(row, "={}<>&%$!^\\") && strings.Trim(row[:place-line.start], " \t\"'`*") != "" {
		return line.start, max(line.end, place+1) // code, as mostly
	}
	names := columns(row, sep)
	if len(names) < 2 {
		return line.start, max(line.end, place+1)
	}
	to = line.end
	if t.read(names, row) && (sep != "  " || row == strings.ToUpper(row) || underlined(t.text[line.end:])) {
		to = t.rows(line.end, len(names), sep)
	}
	if len(t.cells) == 0 && len(names) == 2 {
		t.pair(line, names)
	}
	return line.start, max(to, place+1)
}

// row is the line around a place, without its end; longer than longestRow if it is longer.
func (t *tableText) row(place int) extent {
	start := max(0, place-longestRow-1)
	start += strings.LastIndexByte(t.text[start:place], '\n') + 1
	end := min(len(t.text), place+longestRow+1)
	if n := strings.IndexByte(t.text[place:end], '\n'); n >= 0 {
		end = place + n
	}
	if end > start && t.text[end-1] == '\r' {
		end--
	}
	return extent{start, end}
}

// read takes the names of columns, and reports whether there is one of secrets and
// nothing but names.
func (t *tableText) read(names []extent, row string) bool {
	named := 0
	for i, n := range names {
		name := headingOf(row[n.start:n.end])
		if name == "" {
			if strings.Trim(row[n.start:n.end], " \t") != "" {
				return false
			}
			continue
		}
		named++
		if h, ok := secretsBelow(name); ok {
			h.column = i
			t.heads = append(t.heads, h)
		}
		t.users = t.users || userColumn.matches(name)
	}
	last := names[len(names)-1]
	return named >= 2 && len(t.heads) > 0 && last.start < last.end // behind a comma code goes on
}

// rows reads the rows behind a line's end as far as they have as many columns. It returns
// where it stopped.
func (t *tableText) rows(end, n int, sep string) int {
	last := min(len(t.text), end+tallest)
	for at := end; ; {
		next := strings.IndexByte(t.text[at:last], '\n')
		if next < 0 || at+next+1 >= last {
			return last
		}
		line := t.row(at + next + 1)
		if line.end > last {
			return last
		}
		at = line.end
		row := t.text[line.start:line.end]
		if ruled(row) {
			continue
		}
		values := columns(row, sep)
		if len(values) != n {
			return at
		}
		for _, h := range t.heads {
			v := values[h.column]
			t.take(line, extent{line.start + v.start, line.start + v.end}, h)
		}
	}
}

// mostAccounts is how many lines of a list of accounts are read.
const mostAccounts = 64

// accounts takes the passwords of what chpasswd reads below a line's end, user:password in
// each line. It returns where it stopped.
func (t *tableText) accounts(end int) int {
	last := min(len(t.text), end+tallest)
	for range mostAccounts {
		next := strings.IndexByte(t.text[end:last], '\n')
		if next < 0 || end+next+1 >= last {
			return last
		}
		line := t.row(end + next + 1)
		m := account.regexp().FindStringSubmatchIndex(t.text[line.start:line.end])
		if m == nil || line.end > last {
			return end
		}
		end = line.end
		if v := (extent{line.start + m[2], line.start + m[3]}); m[2] >= 0 {
			if distinctive(t.text[v.start:v.end]) {
				t.cells = append(t.cells, cell{line, v})
			}
		}
	}
	return end
}

// account finds a line of such a list, or one that begins it.
var account = lazily(`^[ \t]*(?:-[ \t]+)?["']?[A-Za-z_][\w.-]*:(?:[ \t]*[|>]?-?[ \t]*|[ \t]+\w+|([^\s"'<>]{6,128})["']?[ \t]*)$`)

// ruled reports whether a row is a line, as below headings.
func ruled(row string) bool {
	return row != "" && strings.Trim(row, "-+|=: \t─┼│┿├┤╪═╞╡┃╇━┡┩╋") == ""
}

// underlined reports whether the line behind a line's end is one below headings: what only
// blanks divide is no table without.
func underlined(text string) bool {
	lines := strings.SplitN(text[:min(len(text), longestRow)], "\n", 3)
	return len(lines) == 3 && ruled(strings.TrimRight(lines[1], "\r"))
}

// take takes a value if it is a secret.
func (t *tableText) take(row, value extent, h heading) {
	v := t.text[value.start:value.end]
	if strings.ContainsAny(v, " \t") {
		return
	}
	g := noSecret
	if h.password {
		g = gradeOf(v, quotedText)
	}
	switch chance := (random(v) || tossed(v)) && !refers(v) && !placeholder(strings.ToLower(v)) && !hashed(v) && !notation.matches(v); {
	case chance, t.users && (g == strongSecret || g == weakSecret && (classesOf(v).mixed() || wellKnown(strings.ToLower(v)))):
		t.cells = append(t.cells, cell{row, value})
	}
}

// pair takes what stands beside a name in a row of two cells: with nothing else to go by it
// must have been made by chance.
func (t *tableText) pair(line extent, cells []extent) {
	row := t.text[line.start:line.end]
	h, ok := secretsBelow(headingOf(row[cells[0].start:cells[0].end]))
	if ok {
		h.password = false
		t.take(line, extent{line.start + cells[1].start, line.start + cells[1].end}, h)
	}
}

// separator is what divides the cells of a row; "" if nothing does.
func separator(row string) string {
	for _, sep := range []string{"|", "│", "┃", "\t", ";", ",", "  "} {
		if strings.Contains(strings.Trim(row, " \t"), sep) {
			return sep
		}
	}
	return ""
}

// columns are the cells of a row, without blanks, quotes and the marks of code in Markdown
// around what they hold; nil when there are too many.
func columns(row, sep string) (cells []extent) {
	at, end := 0, len(row)
	switch sep {
	case "|", "│", "┃": // also at the edges
		trimmed := strings.TrimRight(row, " \t")
		end = len(strings.TrimSuffix(trimmed, sep))
		at = len(row) - len(strings.TrimLeft(row, " \t"))
		at += len(row[at:]) - len(strings.TrimPrefix(row[at:], sep))
	case "  ":
		at = len(row) - len(strings.TrimLeft(row, " "))
		end = len(strings.TrimRight(row, " "))
	}
	for at <= end {
		if len(cells) == mostColumns {
			return nil
		}
		to := cellEnd(row[:end], at, sep)
		cells = append(cells, inCell(row, extent{at, to}))
		at = to + len(sep)
		for sep == "  " && at < end && row[at] == ' ' {
			at++
		}
	}
	return cells
}

// cellEnd is where the cell that begins at a place ends: RFC 4180 lets quotes hide
// separators, and doubles quotes in them.
func cellEnd(row string, at int, sep string) int {
	if at < len(row) && row[at] == '"' && (sep == "," || sep == ";" || sep == "\t") {
		for i := at + 1; i < len(row); i++ {
			if row[i] != '"' {
				continue
			}
			if i+1 == len(row) || strings.HasPrefix(row[i+1:], sep) {
				return i + 1
			}
			i++ // the second of two
		}
	}
	if n := strings.Index(row[at:], sep); n >= 0 {
		return at + n
	}
	return len(row)
}

// inCell is what a cell holds.
func inCell(row string, c extent) extent {
	for c.start < c.end && (row[c.start] == ' ' || row[c.start] == '\t') {
		c.start++
	}
	for c.end > c.start && (row[c.end-1] == ' ' || row[c.end-1] == '\t') {
		c.end--
	}
	for _, around := range []string{`"`, "'", "**", "`"} {
		if n := len(around); c.end-c.start > 2*n && strings.HasPrefix(row[c.start:c.end], around) && strings.HasSuffix(row[c.start:c.end], around) {
			c.start, c.end = c.start+n, c.end-n
		}
	}
	return c
}

// headingOf is the name that a cell has in lower case; "" if it is no name.
func headingOf(cell string) string {
	name := strings.ToLower(strings.Trim(cell, " \t\r\n\"'`*[]\ufeff"))
	if name == "" || len(name) > longestName || strings.Count(name, " ") > 4 {
		return ""
	}
	if i := strings.Index(name, " ("); i > 0 && name[len(name)-1] == ')' {
		name = name[:i]
	}
	name = strings.TrimRight(name, ".:")
	for i, c := range name {
		switch {
		case 'a' <= c && c <= 'z' || c == '_' || c == '#' || c >= utf8.RuneSelf:
		case i == 0 || !('0' <= c && c <= '9') && !strings.ContainsRune(" /@?-", c):
			return ""
		}
	}
	return name
}

// secretsBelow reports whether a column of a name has secrets.
func secretsBelow(name string) (h heading, ok bool) {
	if name == "" || strings.Contains(name, "/") || aboutSecrets.matches(name) {
		return heading{}, false
	}
	if passwordColumn.matches(name) {
		return heading{password: true}, true
	}
	return heading{}, keyColumn.matches(name) && !publicName.matches(name)
}

var (
	passwordColumn = lazily(`passw(?:or[dt]|d)|passphrase|passcode|kennwort|contrase|pwd(?:$|[^a-z])|^pass$`)
	keyColumn      = lazily(`secret|token|(?:api|access|private|encryption)[_ -]?key`)
	userColumn     = lazily(`user|login|mail|account|host|server|url|site|^name|nick|owner|client|benutzer|usuario|utilisateur`)
	// aboutSecrets finds columns that say something about a secret and not what it is.
	aboutSecrets = lazily(`hash|md5|sha[0-9]|salt|hint|polic|expir|chang|updat|creat|reset|last|length|date|_at\b|strength|type|kind|enabled|required|` +
		`active|valid|count|attempt|\bage\b|days|format|field|label|column|name|(?:^|[_ ])ids?$|\burl|link|error|status|score|encrypt|number|usage|limit|` +
		`description|meaning|comment|\?$|\b(?:from|where|and|or|is|the|to|in|for|with|if|not|an?)\b`)
	insertInto = lazily(`(?i)\b(?:insert|replace)\s+(?:\w+\s+){0,2}into\s+\S{1,128}\s*$`)
)

// copyOf finds the beginning of a COPY as PostgreSQL dumps tables, copyEnd what stands behind
// its columns.
var (
	copyOf  = lazily(`\bCOPY\s+\S{1,128}\s*$`)
	copyEnd = lazily(`^\s*FROM\s+stdin[^\n]{0,80}\n`)
)

// inserts reports whether a text ends with the beginning of an INSERT.
func inserts(text string) bool {
	return (strings.Contains(text, "into") || strings.Contains(text, "INTO") || strings.Contains(text, "Into")) && insertInto.matches(text)
}

// insert reads the rows of an INSERT that names the column at a place. It returns from where
// to where it read, and whether there is such a statement.
func (t *tableText) insert(place int) (from, to int, ok bool) {
	from = max(0, place-widest)
	open := strings.LastIndexByte(t.text[from:place], '(')
	if open < 0 || strings.IndexByte(t.text[from+open:place], ')') >= 0 {
		return 0, 0, false
	}
	open += from
	from = max(0, open-256)
	copies := copyOf.matches(t.text[from:open])
	if !copies && !inserts(t.text[from:open]) {
		return 0, 0, false
	}
	names, at := tuple(t.text[:min(len(t.text), open+widest)], open)
	if names == nil {
		return 0, 0, false
	}
	last := min(len(t.text), open+tallest)
	for i, n := range names {
		name := headingOf(t.text[n.start:n.end])
		if h, secrets := secretsBelow(name); secrets {
			h.column = i
			t.heads = append(t.heads, h)
		}
		t.users = true // an INSERT is of somebody's
	}
	if copies {
		return from, max(t.copied(at, last, len(names)), place+1), true
	}
	return from, max(t.values(at, last, names), place+1), true
}

// copied reads the rows of a COPY of n columns whose names end at a place. It returns where
// it stopped.
func (t *tableText) copied(at, last, n int) int {
	if end := copyEnd.regexp().FindStringIndex(t.text[at:last]); end != nil && len(t.heads) > 0 {
		return t.rows(at+end[1]-1, n, "\t")
	}
	return at
}

// values reads the rows of an INSERT behind the names of its columns. It returns where it
// stopped.
func (t *tableText) values(at, last int, names []extent) int {
	at = behindBlanks(t.text[:last], at)
	const values = "values"
	if len(t.heads) == 0 || at+len(values) > last || !strings.EqualFold(t.text[at:at+len(values)], values) {
		return at
	}
	for at += len(values); at < last; at++ {
		at = behindBlanks(t.text[:last], at)
		if at == last || t.text[at] != '(' {
			break
		}
		start := at
		var cells []extent
		cells, at = tuple(t.text[:last], at)
		if len(cells) != len(names) {
			break
		}
		for _, h := range t.heads {
			if v, quoted := inQuotes(t.text, cells[h.column]); quoted {
				t.take(extent{start, at}, v, h)
			}
		}
		at = behindBlanks(t.text[:last], at)
		if at == last || t.text[at] != ',' {
			break
		}
	}
	return at
}

// behindBlanks is where blanks and ends of lines end that stand at a place.
func behindBlanks(text string, at int) int {
	return len(text) - len(strings.TrimLeft(text[at:], " \t\r\n"))
}

// tuple are what commas separate between the parenthesis at a place and the one that closes
// it, and where that ends; nil when none does.
func tuple(text string, open int) (cells []extent, end int) {
	depth, from := 1, open+1
	for i := open + 1; i < len(text); i++ {
		switch c := text[i]; c {
		case '(':
			depth++
		case ')', ',':
			if c == ')' {
				depth--
			}
			if depth == 0 || depth == 1 && c == ',' {
				if len(cells) == mostColumns {
					return nil, i
				}
				cells = append(cells, extent{from, i})
				from = i + 1
			}
			if depth == 0 {
				return cells, i + 1
			}
		case '\'', '"', '`':
			i = quoteEnd(text, i)
		}
	}
	return nil, len(text)
}

// quoteEnd is where the literal that begins at a place ends, doubled and escaped quotes
// skipped.
func quoteEnd(text string, at int) int {
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[at]:
			if i+1 == len(text) || text[i+1] != text[at] {
				return i
			}
			i++
		}
	}
	return len(text)
}

// inQuotes is what stands between the quotes of a literal of SQL.
func inQuotes(text string, c extent) (extent, bool) {
	for c.start < c.end && strings.IndexByte(" \t\r\nNEne", text[c.start]) >= 0 {
		c.start++
	}
	for c.end > c.start && strings.IndexByte(" \t\r\n", text[c.end-1]) >= 0 {
		c.end--
	}
	if c.end-c.start < 3 || text[c.start] != '\'' && text[c.start] != '"' || text[c.end-1] != text[c.start] {
		return extent{}, false
	}
	return extent{c.start + 1, c.end - 1}, true
}

// asCell grades what was found in a table.
func asCell(c candidate) grade {
	if v := c.value(); !random(v) && !tossed(v) {
		return gradeOf(v, quotedText)
	}
	return strongSecret
}
