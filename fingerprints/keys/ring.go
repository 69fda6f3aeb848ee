package keys

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"revenant/fingerprints"
)

// What callers branch on.
var (
	// ErrNoKey: the holder was never given this key, or no such key exists.
	ErrNoKey = errors.New("this key is not in the key ring")
	// ErrUnknownEpoch: the key belongs to an epoch or filter generation that
	// is newer than the ring; an older copy of the ring was restored.
	ErrUnknownEpoch = errors.New("the key ring is older than what it should open")
	// ErrDroppedGeneration: two newer filter generations have replaced this
	// one; its values must be registered again to be searchable.
	ErrDroppedGeneration = errors.New("this filter generation is no longer in use")
	// ErrDamaged: the bytes are no key ring or key set, or were changed.
	ErrDamaged = errors.New("damaged or not a key file of revenant")
	// ErrNewer: a newer version of revenant wrote the bytes.
	ErrNewer = errors.New("written by a newer version of revenant")
)

// Source is what holds keys: a Ring, or the derived keys of a holder.
type Source interface {
	// Key returns a derived key; gen is the filter generation for
	// PurposeFilter and the epoch for all others.
	Key(aud fingerprints.Audience, p Purpose, gen uint32) (Key, error)
	ID() fingerprints.RingID
	Installation() fingerprints.InstallationID
	// Public is the public half of the newest epoch's signing key; nil when p
	// signs nothing.
	Public(p Purpose) ed25519.PublicKey
}

// Signer is a Source that can sign.
type Signer interface {
	Source
	// Epoch is the newest epoch, whose keys sign.
	Epoch() uint32
	Sign(p Purpose, msg []byte) []byte
}

// Registering is what registration needs; a Ring and RegistrarKeys have it.
type Registering interface {
	Source
	Epoch() uint32
	FilterGen() uint32
	FilterGens() []uint32
	Identity(aud fingerprints.Audience) IdentityKey
}

// Rotation says why an epoch began.
type Rotation string

// The reasons.
const (
	RotateInitial    Rotation = "initial" // the first epoch; not for Rotate
	RotateRoutine    Rotation = "routine"
	RotateCompromise Rotation = "compromise"
)

// EpochInfo describes an epoch.
type EpochInfo struct {
	Epoch     uint32 // from 1
	CreatedAt time.Time
	Reason    Rotation
}

// Ring is an installation's key ring: its root and the masters of all epochs.
// It cannot be printed. Safe for concurrent use, also while it is rotated.
type Ring struct {
	unprintable
	cell func() *atomic.Pointer[ringState]
}

// ringState is immutable once it is in a ring.
type ringState struct {
	installation fingerprints.InstallationID
	root         Key
	epochs       []epoch      // epoch n at index n-1
	filters      []generation // in use, oldest first, one or two
}

type epoch struct {
	info   EpochInfo
	master Key
}

type generation struct{ gen, epoch uint32 }

func newRing(s *ringState) *Ring {
	p := new(atomic.Pointer[ringState])
	p.Store(s)
	return &Ring{cell: func() *atomic.Pointer[ringState] { return p }}
}

func (r *Ring) load() *ringState { return r.cell().Load() }

// NewRing draws a new installation with its ring. Times are kept to the
// millisecond.
func NewRing(rand io.Reader, now time.Time) (*Ring, error) {
	s := &ringState{filters: []generation{{gen: 1, epoch: 1}}}
	first := epoch{info: EpochInfo{Epoch: 1, CreatedAt: stamp(now), Reason: RotateInitial}}
	for _, b := range [][]byte{s.installation[:], s.root[:], first.master[:]} {
		if _, err := io.ReadFull(rand, b); err != nil {
			return nil, fmt.Errorf("drawing a key ring: %w", err)
		}
	}
	s.epochs = []epoch{first}
	return newRing(s), nil
}

func stamp(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// ID identifies the ring; it survives rotation.
func (r *Ring) ID() fingerprints.RingID {
	s := r.load()
	k := Derive(s.root, s.installation, fingerprints.AudienceCore, PurposeKeyID, 0)
	return fingerprints.RingID(k[:16])
}

// Installation is the installation that the ring was drawn for.
func (r *Ring) Installation() fingerprints.InstallationID { return r.load().installation }

// Epoch is the newest epoch, from 1.
func (r *Ring) Epoch() uint32 { return r.load().newest() }

func (s *ringState) newest() uint32 { return uint32(len(s.epochs)) }

// Epochs lists all epochs, oldest first.
func (r *Ring) Epochs() []EpochInfo {
	s := r.load()
	out := make([]EpochInfo, len(s.epochs))
	for i, e := range s.epochs {
		out[i] = e.info
	}
	return out
}

// Compromised reports whether an epoch was ended by a compromise, then or
// later: its keys may be in foreign hands.
func (r *Ring) Compromised(n uint32) bool {
	for _, e := range r.load().epochs {
		if e.info.Epoch > n && e.info.Reason == RotateCompromise {
			return true
		}
	}
	return false
}

// FilterGen is the newest filter generation, from 1.
func (r *Ring) FilterGen() uint32 { return r.FilterGens()[0] }

// FilterGens lists the generations in use, newest first; one or two.
func (r *Ring) FilterGens() []uint32 { return r.load().generations() }

func (s *ringState) generations() []uint32 {
	var out []uint32
	for i := len(s.filters) - 1; i >= 0; i-- {
		out = append(out, s.filters[i].gen)
	}
	return out
}

// Key returns a derived key; gen is the filter generation for PurposeFilter and
// the epoch for all others. Signing and identity keys are not handed out here.
func (r *Ring) Key(aud fingerprints.Audience, p Purpose, gen uint32) (Key, error) {
	if !offered(aud, p) {
		return Key{}, fmt.Errorf("key %s of audience %s: %w", p, aud, ErrNoKey)
	}
	s := r.load()
	from := gen
	if p == PurposeFilter {
		var err error
		if from, err = s.filterEpoch(gen); err != nil {
			return Key{}, err
		}
	}
	m, err := s.master(from)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", p, err)
	}
	return Derive(m, s.installation, aud, p, gen), nil
}

// offered says which keys exist for an audience.
func offered(aud fingerprints.Audience, p Purpose) bool {
	switch p {
	case PurposeRegMAC, PurposePack, PurposeFilter:
		return aud == fingerprints.AudienceCore || aud == fingerprints.AudienceEdge
	case PurposeLookup, PurposeSeal, PurposeAudit:
		return aud == fingerprints.AudienceCore
	case PurposeKeyID, PurposeIdentity, PurposeSignPack, PurposeSignAudit, PurposeSignProof:
		return false
	}
	return false
}

func (s *ringState) master(n uint32) (Key, error) {
	switch {
	case n == 0:
		return Key{}, fmt.Errorf("epoch 0: %w", ErrNoKey)
	case n > s.newest():
		return Key{}, fmt.Errorf("epoch %d, the ring ends at %d: %w", n, s.newest(), ErrUnknownEpoch)
	}
	return s.epochs[n-1].master, nil
}

func (s *ringState) filterEpoch(gen uint32) (uint32, error) {
	return findGeneration(s.filters, gen)
}

// findGeneration returns the epoch that began a generation in use; gens is
// ordered, oldest first.
func findGeneration(gens []generation, gen uint32) (uint32, error) {
	for _, g := range gens {
		if g.gen == gen {
			return g.epoch, nil
		}
	}
	switch {
	case gen == 0 || len(gens) == 0:
		return 0, fmt.Errorf("filter generation %d: %w", gen, ErrNoKey)
	case gen < gens[0].gen:
		return 0, fmt.Errorf("filter generation %d: %w", gen, ErrDroppedGeneration)
	}
	return 0, fmt.Errorf("filter generation %d: %w", gen, ErrUnknownEpoch)
}

// Identity returns the audience's identity key; zero for an unknown audience.
func (r *Ring) Identity(aud fingerprints.Audience) IdentityKey {
	if aud != fingerprints.AudienceCore && aud != fingerprints.AudienceEdge {
		return IdentityKey{}
	}
	s := r.load()
	return NewIdentityKey(Derive(s.root, s.installation, aud, PurposeIdentity, 0))
}
