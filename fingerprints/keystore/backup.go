package keystore

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"

	"revenant/fingerprints/keys"
)

// Backup returns the ring as an armoured age file. Whoever opens it holds the
// whole ring.
func Backup(ring *keys.Ring, p Protection) ([]byte, error) {
	b := ring.Marshal()
	defer clear(b)
	out, err := p.seal(b)
	if err != nil {
		return nil, fmt.Errorf("backing the key ring up: %w", err)
	}
	return out, nil
}

// OpenBackup reads a backup.
func OpenBackup(file []byte, p Protection) (*keys.Ring, error) {
	if !isSealed(file) {
		return nil, fmt.Errorf("opening the backup: %w", ErrDamaged)
	}
	b, err := p.open(file)
	if err != nil {
		return nil, fmt.Errorf("opening the backup: %w", err)
	}
	defer clear(b)
	ring, err := keys.ParseRing(b)
	if err != nil {
		return nil, fmt.Errorf("opening the backup: %w", taught(err))
	}
	return ring, nil
}

// ExportRegistrar returns the ring's registering keys as an armoured age file,
// for somebody who registers values elsewhere.
func ExportRegistrar(ring *keys.Ring, p Protection) ([]byte, error) {
	b := ring.RegistrarKeys().Marshal()
	defer clear(b)
	out, err := p.seal(b)
	if err != nil {
		return nil, fmt.Errorf("exporting the registering keys: %w", err)
	}
	return out, nil
}

// OpenRegistrar reads what ExportRegistrar wrote.
func OpenRegistrar(file []byte, p Protection) (keys.RegistrarKeys, error) {
	if !isSealed(file) {
		return keys.RegistrarKeys{}, fmt.Errorf("opening the registering keys: %w", ErrDamaged)
	}
	b, err := p.open(file)
	if err != nil {
		return keys.RegistrarKeys{}, fmt.Errorf("opening the registering keys: %w", err)
	}
	defer clear(b)
	k, err := keys.ParseRegistrarKeys(b)
	if err != nil {
		return keys.RegistrarKeys{}, fmt.Errorf("opening the registering keys: %w", taught(err))
	}
	return k, nil
}

// An edge key file begins with edgeFile, its version and a space.
const (
	edgeFile    = "revenant-edge-key/"
	edgeVersion = 1
)

// MarshalEdge writes edge keys as one line of text.
func MarshalEdge(k keys.EdgeKeys) []byte {
	return fmt.Appendf(nil, "%s%d %s\n", edgeFile, edgeVersion, base64.StdEncoding.EncodeToString(k.Marshal()))
}

// ParseEdge reads edge keys: the line, or an age file around it.
func ParseEdge(b []byte, p Protection) (keys.EdgeKeys, error) {
	if b = bytes.TrimLeft(b, " \t\r\n"); isSealed(b) {
		var err error
		if b, err = p.open(b); err != nil {
			return keys.EdgeKeys{}, fmt.Errorf("opening the edge keys: %w", err)
		}
	}
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(b), []byte(edgeFile))
	version, body, _ := bytes.Cut(rest, []byte(" "))
	switch n, err := strconv.ParseUint(string(version), 10, 32); {
	case !ok || err != nil || n == 0:
		return keys.EdgeKeys{}, fmt.Errorf("opening the edge keys: %w", ErrDamaged)
	case n > edgeVersion:
		return keys.EdgeKeys{}, fmt.Errorf("opening the edge keys: %w", ErrNewer)
	}
	raw, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		return keys.EdgeKeys{}, fmt.Errorf("opening the edge keys: %w", ErrDamaged)
	}
	k, err := keys.ParseEdgeKeys(raw)
	if err != nil {
		return keys.EdgeKeys{}, fmt.Errorf("opening the edge keys: %w", taught(err))
	}
	return k, nil
}

// ReadEdge reads an edge key file that only its owner may read, or that the
// administrator of the machine lets others read.
func ReadEdge(name string, p Protection) (keys.EdgeKeys, error) {
	b, err := readKept(name, handedOut)
	if err != nil {
		return keys.EdgeKeys{}, fmt.Errorf("reading the edge keys: %w", err)
	}
	return ParseEdge(b, p)
}
