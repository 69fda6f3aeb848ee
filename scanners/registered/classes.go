package registered

import "revenant/scanners/byteclass"

// Copies, so that what looks a character up needs no pointer first; read-only.
var (
	sextet = *byteclass.Sextets()
	nibble = *byteclass.Nibbles()
)
