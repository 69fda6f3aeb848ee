// Package audit is the hash-chained audit log as pure functions: it makes
// records, verifies chains of them, and signs and checks checkpoints. Storing
// and fetching is its callers' part.
//
// A record, byte for byte. L(x) is the 4-byte big-endian length of x followed by
// x; u32 and u64 are big-endian.
//
//	content  canonical JSON: an object, keys sorted by their bytes, no white
//	         space, as encoding/json writes them with HTML characters as they are
//	MAC      u32 epoch || HMAC-SHA-256(audit key of the epoch, "audit/v1" ||
//	         L(MAC of the previous record; empty for the first) || u32 epoch ||
//	         u64 sequence || u64 Unix milliseconds || L(actor) || L(content))
//
// Sequences count from 1 without gaps, epochs never fall. A checkpoint is a
// signed statement about the newest record; kept where the owner of the
// database cannot rewrite it, it shows a tail that was cut or replaced.
//
// The package promises that Verify accepts no chain with a record that was
// changed, moved, left out or put in by somebody without the audit key, and with
// a checkpoint none that lost records before it. It refuses to judge content.
package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

// What callers branch on. ErrBroken is wrapped by every error that means that
// the chain is not what was written.
var (
	ErrBroken = errors.New("the audit chain is broken")
	// ErrContent: what should be recorded is no JSON object.
	ErrContent = errors.New("the content of an audit record must be a JSON object")
)

// Record is one link of the chain. Its fields are those of store.AuditRecord, so
// that each converts to the other.
type Record struct {
	Sequence uint64 // from 1, without gaps
	At       time.Time
	Actor    string
	Content  []byte // canonical JSON
	MAC      []byte
}

// Keys is what making and checking records needs; a keys.Ring has it.
type Keys interface {
	Key(aud fingerprints.Audience, p keys.Purpose, gen uint32) (keys.Key, error)
	Epoch() uint32
}

const macSize = 4 + sha256.Size

// Append makes the record that follows prev, which is the zero Record for the
// first. Content is anything that encodes to a JSON object and holds no value.
// The time is kept to the millisecond, in UTC.
func Append(ks Keys, prev Record, at time.Time, actor string, content any) (Record, error) {
	raw, err := Canonical(content)
	if err != nil {
		return Record{}, err
	}
	r := Record{
		Sequence: prev.Sequence + 1,
		At:       time.UnixMilli(at.UnixMilli()).UTC(),
		Actor:    actor,
		Content:  raw,
	}
	r.MAC, err = r.sum(ks, prev.MAC, ks.Epoch())
	if err != nil {
		return Record{}, fmt.Errorf("chaining audit record %d: %w", r.Sequence, err)
	}
	return r, nil
}

// Canonical encodes content as canonical JSON.
func Canonical(content any) ([]byte, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return nil, ErrContent // the encoder's error may quote what it was given
	}
	// Through a map: fields of structs become sorted keys too.
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil || object == nil {
		return nil, ErrContent
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(object); err != nil {
		return nil, ErrContent
	}
	return []byte(strings.TrimSuffix(out.String(), "\n")), nil
}

// Epoch is the epoch of the key that chained the record; 0 when it has no MAC.
func (r Record) Epoch() uint32 {
	if len(r.MAC) != macSize {
		return 0
	}
	return binary.BigEndian.Uint32(r.MAC)
}

func (r Record) sum(ks Keys, prev []byte, epoch uint32) ([]byte, error) {
	k, err := ks.Key(fingerprints.AudienceCore, keys.PurposeAudit, epoch)
	if err != nil {
		return nil, err
	}
	b := keys.AppendField([]byte("audit/v1"), prev)
	b = binary.BigEndian.AppendUint32(b, epoch)
	b = binary.BigEndian.AppendUint64(b, r.Sequence)
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMilli()))
	b = keys.AppendField(b, []byte(r.Actor))
	b = keys.AppendField(b, r.Content)
	h := hmac.New(sha256.New, k[:])
	h.Write(b)
	return h.Sum(binary.BigEndian.AppendUint32(nil, epoch)), nil
}
