package registered

import "revenant/scanners"

var _ scanners.Placeless = (*Matcher)(nil)

// Placeless implements scanners.Placeless: a value is confirmed by its own bytes, and
// a part of one beside a mask by the mask.
func (*Matcher) Placeless() {}
