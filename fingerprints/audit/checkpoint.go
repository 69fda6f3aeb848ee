package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

// ErrCheckpoint says that a text is no checkpoint, or that its signature is not
// the ring's.
var ErrCheckpoint = errors.New("not a checkpoint that this key ring signed")

// Checkpoint states what the newest record was at a time. As text, which is
// what is signed up to and including the empty line:
//
//	revenant audit checkpoint v1
//	installation: 32 hex digits
//	ring: 32 hex digits
//	epoch: N                       of the key that signs
//	sequence: N                    of the newest record; 0: the chain was empty
//	at: 2006-01-02T15:04:05.000Z
//	head: 72 hex digits            MAC of the newest record; "-" when empty
//
//	signature: base64 of Ed25519 (sign-audit of the epoch)
type Checkpoint struct {
	Installation fingerprints.InstallationID
	Ring         fingerprints.RingID
	Epoch        uint32
	Sequence     uint64
	At           time.Time
	Head         []byte
}

// Signer signs checkpoints; a keys.Ring is one.
type Signer interface {
	Epoch() uint32
	ID() fingerprints.RingID
	Installation() fingerprints.InstallationID
	Sign(p keys.Purpose, msg []byte) []byte
}

// Trust tells which public keys may have signed; keys.Ring, keys.EdgeKeys and
// keys.RegistrarKeys do.
type Trust interface {
	ID() fingerprints.RingID
	PublicAt(p keys.Purpose, epoch uint32) (ed25519.PublicKey, error)
}

const checkpointTime = "2006-01-02T15:04:05.000Z"

// Sign makes the checkpoint of a newest record, as text.
func Sign(s Signer, newest Record, at time.Time) []byte {
	c := Checkpoint{
		Installation: s.Installation(), Ring: s.ID(), Epoch: s.Epoch(),
		Sequence: newest.Sequence, At: at, Head: newest.MAC,
	}
	body := c.body()
	sig := s.Sign(keys.PurposeSignAudit, []byte(body))
	return []byte(body + "signature: " + base64.StdEncoding.EncodeToString(sig) + "\n")
}

func (c Checkpoint) body() string {
	head := "-"
	if c.Sequence > 0 {
		head = hex.EncodeToString(c.Head)
	}
	return fmt.Sprintf("revenant audit checkpoint v1\ninstallation: %s\nring: %s\nepoch: %d\nsequence: %d\nat: %s\nhead: %s\n\n",
		c.Installation, c.Ring, c.Epoch, c.Sequence, c.At.UTC().Format(checkpointTime), head)
}

// Read parses the text of a checkpoint and checks who signed it. Line ends may
// be CR LF, and white space may stand around the whole.
func Read(t Trust, text []byte) (Checkpoint, error) {
	c, body, sig, err := parse(text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Ring != t.ID() {
		return Checkpoint{}, fmt.Errorf("checkpoint of ring %s, not of %s: %w", c.Ring, t.ID(), ErrCheckpoint)
	}
	public, err := t.PublicAt(keys.PurposeSignAudit, c.Epoch)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	if !ed25519.Verify(public, []byte(body), sig) {
		return Checkpoint{}, fmt.Errorf("checkpoint: wrong signature: %w", ErrCheckpoint)
	}
	return c, nil
}

func parse(text []byte) (c Checkpoint, body string, sig []byte, err error) {
	s := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")) + "\n"
	body, last, ok := strings.Cut(s, "\n\n")
	body += "\n\n"
	if !ok || len(s) > 1024 {
		return c, "", nil, ErrCheckpoint
	}
	var installation, ring, at, head string
	_, err = fmt.Sscanf(body, "revenant audit checkpoint v1\ninstallation: %s\nring: %s\nepoch: %d\nsequence: %d\nat: %s\nhead: %s\n",
		&installation, &ring, &c.Epoch, &c.Sequence, &at, &head)
	if err != nil {
		return c, "", nil, ErrCheckpoint
	}
	sig, err = base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(strings.TrimPrefix(last, "signature: ")))
	if err != nil || len(sig) != ed25519.SignatureSize {
		return c, "", nil, ErrCheckpoint
	}
	c.At, err = time.Parse(checkpointTime, at)
	if err != nil || !unhex(c.Installation[:], installation) || !unhex(c.Ring[:], ring) {
		return c, "", nil, ErrCheckpoint
	}
	if head != "-" {
		c.Head = make([]byte, macSize)
		if !unhex(c.Head, head) {
			return c, "", nil, ErrCheckpoint
		}
	}
	// What was read must be all that is there, in the one way to write it.
	if c.body() != body || (c.Sequence == 0) != (head == "-") {
		return c, "", nil, ErrCheckpoint
	}
	return c, body, sig, nil
}

func unhex(dst []byte, s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == len(dst) && copy(dst, b) == len(dst)
}
