package sqlstore

// table is a table of the store, what its rows are known by, and its columns.
type table struct{ name, key, columns string }

// tables lists every table, those that others point to first; a test compares
// it with the schemas.
func tables() []table {
	return []table{
		{"meta", "one", "one, installation, ring, created_at, revision, pack_revision, field_revision"},
		{"counters", "name", "name, last"},
		{"secrets", "name", "name, class, owner, multi_active, created_at"},
		{"consumers", "secret, consumer", "secret, consumer"},
		{"versions", "id", "id, secret, number, state, issued_to, window_ends, compromised_at, created_at, activated_at, superseded_at, retired_at, abandoned_at"},
		{"fields", "id", "id, version, field, format, epoch, filter_gen, revision, strength, unsearchable, sealed"},
		{"acks", "version, consumer", "version, consumer, at, actor"},
		{"homes", "id", "id, secret, source_glob, path_glob, until, reason, created_at, actor, whole"},
		{"decisions", "id", "id, value, rule, source_glob, path_glob, status, until, reason, owner, created_at, actor"},
		{"sources", "pk", "pk, id, kind, added_at, forgotten"},
		{"home_sources", "home, source_pk", "home, source_pk"},
		{"positions", "source_pk, name", "source_pk, name, position"},
		{"seen_values", "pk", "pk, value"},
		{"tallies", "value_pk, source_pk", "value_pk, source_pk, present, gone"},
		{"totals", "source_pk", "source_pk, present, gone"},
		{"value_fields", "value_pk, field", "value_pk, field"},
		{"findings", "pk", "pk, id, value_pk, source_pk, path, path_id, presence, status, owner, reason, until, due, first_seen, last_seen, gone_at, rules, changed"},
		{"finding_homes", "finding_pk, home", "finding_pk, home"},
		{"finding_decisions", "finding_pk, decision", "finding_pk, decision"},
		{"aliases", "alias", "alias, finding_pk"},
		{"sightings", "pk", "pk, finding_pk, locator, span_start, span_end, line, col, end_line, end_col, form, rule, field, inside, presence, context, url, content_at, first_seen, last_seen, extent, more, stream, at_offset, run_from, author, commit_id"},
		{"history", "pk", "pk, finding_pk, at, actor, what, detail"},
		{"scans", "id", "id, source_pk, extent, started_at, finished_at, complete, field_revision, pack_revision, generic, through, resume_at, items, bytes, skips"},
		{"skips", "pk", "pk, scan, path, locator, reason, detail, size"},
		{"watches", "name", "name, kind, location, options, credential, schedule, parent, paused, added_at, source_id, next_run, wanted_at, wanted, queued_at, started_at, finished_at, outcome, problem, failures, field_revision"},
		{"workers", "id", "id, host, version, started_at, seen_at, slots, scans"},
		{"marks", "name", "name, mark"},
		{"told", "receiver, finding_pk", "receiver, finding_pk, word, grp, at"},
		{"deliveries", "id", "id, receiver, grp, kind, summary, created_at, next_at, deadline, attempts, lease_by, lease_until, sent_at, given_up_at, problem"},
		{"notices", "pk", "pk, receiver, grp, event, finding_pk, source, was, verdict, severity, detail, at, urgent, delivery"},
		{"tokens", "id", "id, name, hash, scopes, created_at, created_by, expires_at, used_at, revoked_at, revoked_by, teams"},
		{"people", "id", "id, name, issuer, subject, display, address, roles, teams, claimed_roles, claimed_teams, created_at, created_by, seen_at, disabled_at, disabled_by"},
		{"sessions", "id", "id, hash, person, token, address, created_at, seen_at, ends_at"},
		{"codes", "hash", "hash, purpose, person, next, ends_at"},
		{"days", "day, verdict", "day, verdict, findings"},
		{"views", "pk", "pk, owner, name, query, created_at"},
		{"requests", "actor, request_key", "actor, request_key, operation, body, at, answered_at, status, answer, subject"},
		{"lookups", "actor, day", "actor, day, asked, known, refused"},
		{"audit", "sequence", "sequence, at, actor, content, mac"},
		{"checkpoints", "sequence", "sequence, signed"},
	}
}
