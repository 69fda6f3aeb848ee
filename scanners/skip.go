package scanners

import "revenant/fingerprints"

// SkipError is an error of an Item's Open, Read or Close that says how the
// content that was not read is listed. Any other error is listed as
// unreadable, without its text: texts of errors repeat paths.
type SkipError struct {
	Reason fingerprints.SkipReason
	Detail string // never content, never a path
	Size   int64  // bytes not read; -1 when unknown
}

// Error names the reason.
func (e *SkipError) Error() string {
	if e.Detail == "" {
		return string(e.Reason)
	}
	return string(e.Reason) + ": " + e.Detail
}
