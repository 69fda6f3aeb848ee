package sqlstore

// table is a table of the store and what its rows are known by.
type table struct{ name, key string }

// tables lists every table, those that others point to first; a test compares
// it with the schemas.
func tables() []table {
	return []table{
		{"meta", "one"},
		{"counters", "name"},
		{"secrets", "name"},
		{"consumers", "secret, consumer"},
		{"versions", "id"},
		{"fields", "id"},
		{"acks", "version, consumer"},
		{"homes", "id"},
		{"decisions", "id"},
		{"sources", "pk"},
		{"seen_values", "pk"},
		{"value_fields", "value_pk, field"},
		{"findings", "pk"},
		{"finding_homes", "finding_pk, home"},
		{"finding_decisions", "finding_pk, decision"},
		{"aliases", "alias"},
		{"sightings", "pk"},
		{"history", "pk"},
		{"scans", "id"},
		{"skips", "pk"},
		{"audit", "sequence"},
		{"checkpoints", "sequence"},
	}
}
