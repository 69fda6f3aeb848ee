package cilog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"revenant/fingerprints"
)

// Memory keeps what is known of a project between scans. What it is given holds
// names of jobs, which may hold a secret: whoever keeps it seals it.
type Memory interface {
	// Load returns what was saved last; nil: nothing.
	Load() ([]byte, error)
	// Save replaces it as a whole.
	Save(b []byte) error
}

// memoryFormat is raised when memories of before are of no use.
const memoryFormat = 1

// maxMemory is how long a memory may be when it is unpacked.
const maxMemory = 1 << 30

// known is what is remembered of a project.
type known struct {
	Format int
	// Mark is where the listing of runs goes on.
	Mark string
	// Runs are those whose logs are known, the newest first.
	Runs []*knownRun
	// Waiting are runs that were listed and not read to their end, in the order in
	// which they are to be read.
	Waiting []Run
}

// knownRun is a run that came to its end.
type knownRun struct {
	Run  Run
	Logs []Log `json:",omitempty"`
	// Skips are logs that will never be read.
	Skips []fingerprints.Skip `json:",omitempty"`
	// Expired: the logs are not kept any longer.
	Expired bool `json:",omitempty"`
	// Asked is when it was last asked for whether they are.
	Asked time.Time `json:",omitzero"`
}

// runID names a run's attempt.
type runID struct {
	id      string
	attempt int
}

func (r Run) key() runID { return runID{r.ID, r.Attempt} }

// load reads a memory. One that is damaged or of another format is as good as
// none: everything is read again.
func load(m Memory) (known, error) {
	empty := known{Format: memoryFormat}
	if m == nil {
		return empty, nil
	}
	b, err := m.Load()
	if err != nil || b == nil {
		return empty, err
	}
	d, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxMemory))
	if err != nil {
		return empty, fmt.Errorf("unpacking what is known of the runs: %w", err)
	}
	defer d.Close()
	var k known
	if err := json.NewDecoder(io.LimitReader(d, maxMemory)).Decode(&k); err != nil || k.Format != memoryFormat {
		return empty, nil
	}
	return k, nil
}

// pack is a memory's content.
func (k *known) pack() ([]byte, error) {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err == nil {
		err = errors.Join(json.NewEncoder(w).Encode(k), w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("packing what is known of the runs: %w", err)
	}
	return out.Bytes(), nil
}
