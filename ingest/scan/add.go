package scan

import (
	"maps"

	"revenant/fingerprints"
)

// Add joins what another scan did to r, as one result of several sources. The
// zero Result has done nothing, and is complete once something complete was
// added.
func (r *Result) Add(o Result) {
	first := r.Sources == 0 && r.Skips == nil
	r.Complete = o.Complete && (first || r.Complete)
	r.Items += o.Items
	r.Bytes += o.Bytes
	r.Findings += o.Findings
	r.New += o.New
	r.Sightings += o.Sightings
	r.Tolerated += o.Tolerated
	r.Decided += o.Decided
	r.Sources += o.Sources
	r.Verdicts = sum(r.Verdicts, o.Verdicts)
	r.Severities = sum(r.Severities, o.Severities)
	r.Skips = sum(r.Skips, o.Skips)
	r.Notes = append(r.Notes, o.Notes...)
	r.SourceFailed = r.SourceFailed || o.SourceFailed
	r.Interrupted = r.Interrupted || o.Interrupted
	r.Duration += o.Duration
}

// sum adds counts, into a map of its own.
func sum[K fingerprints.Verdict | fingerprints.Severity | fingerprints.SkipReason, N int | int64](a, b map[K]N) map[K]N {
	out := maps.Clone(a)
	if out == nil {
		out = map[K]N{}
	}
	for k, n := range b {
		out[k] += n
	}
	return out
}
