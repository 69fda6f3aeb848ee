package files

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrBadCursor is wrapped when a cursor does not parse or is of a newer
// version; the scan can start over without it.
var ErrBadCursor = errors.New("not a usable cursor")

// cursorV1 is the cursor of a walk: for each directory from the root to where
// the walk stood, how many of its entries were finished. Names would be
// plaintext in the store, since a path can be the secret, so a directory is
// recognised by its time of change and its number of entries.
type cursorV1 struct {
	Version int     `json:"v"`
	Places  []place `json:"at"`
}

type place struct {
	Index    int   `json:"i"` // entries finished
	Modified int64 `json:"m"` // the directory's, in nanoseconds
	Names    int   `json:"n"` // entries in all
}

func formatCursor(p []place) []byte {
	b, err := json.Marshal(cursorV1{Version: 1, Places: p})
	if err != nil {
		panic("files: numbers did not encode: " + err.Error())
	}
	return b
}

func parseCursor(b []byte) ([]place, error) {
	var c cursorV1
	if err := json.Unmarshal(b, &c); err != nil || c.Version != 1 {
		return nil, fmt.Errorf("resuming: %w: scan without it", ErrBadCursor)
	}
	for _, p := range c.Places {
		if p.Index < 0 || p.Names < 0 || p.Index > p.Names {
			return nil, fmt.Errorf("resuming: %w: scan without it", ErrBadCursor)
		}
	}
	return c.Places, nil
}
