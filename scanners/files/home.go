package files

import "revenant/scanners"

// HomeOptions configures NewHome.
type HomeOptions struct {
	Home     string // the user's home directory
	SourceID string // empty: dir:<absolute path>
	Exclude  []string
	Cursor   []byte
}

// NewHome returns a source that reads the places of a home directory where
// credentials gather; Places lists them.
func NewHome(o HomeOptions) (scanners.Source, error) { return nil, nil }
