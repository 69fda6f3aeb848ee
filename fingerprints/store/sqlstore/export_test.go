package sqlstore

// WithPragmas adds pragmas to every connection, to provoke a full disk.
func WithPragmas(o Options, pragmas ...string) Options {
	o.pragmas = append(o.pragmas, pragmas...)
	return o
}

// Provenances lists the columns that EachProvenance reads, as table.column.
func Provenances() (out []string) {
	for _, p := range provenances() {
		out = append(out, p.table+"."+p.column)
	}
	return out
}

// Tables lists what is copied and checked.
func Tables() (out []string) {
	for _, t := range tables() {
		out = append(out, t.name)
	}
	return out
}
