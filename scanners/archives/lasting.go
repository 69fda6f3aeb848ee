package archives

import (
	"strings"

	"revenant/fingerprints"
)

// What was not read for want of something that another run may have.
const (
	noRoom = "no room to unpack it"
	others = " more places inside"
)

// Lasting reports whether a skip that an Expander lists is of what the content
// is: whoever looks at it again, with the same limits, is told the same.
func Lasting(s fingerprints.Skip) bool {
	return s.Detail != noRoom && s.Detail != errTime.Error() && !strings.HasSuffix(s.Detail, others)
}
