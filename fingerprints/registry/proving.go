package registry

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"revenant/api/wire"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/store"
)

// proofFormat is the version of the document.
const proofFormat = "revenant.proof/v1"

// SignedProof is a proof with its document: canonical JSON with the signature.
//
//	{"proof": PROOF, "epoch": N, "public_key": base64, "signature": base64}
//
// The signature is Ed25519 (sign-proof of the epoch) over "revenant.proof/v1",
// a zero byte and PROOF as encoding/json writes the Proof type without white
// space, so that a document may be indented and still verify.
type SignedProof = wire.SignedProof

type proofDocument struct {
	Proof     Proof  `json:"proof"`
	Epoch     uint32 `json:"epoch"`
	PublicKey []byte `json:"public_key"`
	Signature []byte `json:"signature"`
}

// Prove says, signed, whether a version has no live copy left in anything that
// was scanned, and what that rests on. That it was asked stands in the audit
// log.
func (r *Registry) Prove(ctx context.Context, a Actor, ref fingerprints.VersionRef, o ProveOptions) (SignedProof, error) {
	if err := checkAcceptSkip(o.AcceptSkip); err != nil {
		return SignedProof{}, fmt.Errorf("proving: %w", err)
	}
	var out SignedProof
	err := r.updateAll(ctx, a, ScopeRead, "proving", func(c *change) error {
		v := &view{tx: c.tx, reg: r, now: c.at, meta: c.meta}
		p, err := v.proof(ctx, ref, o)
		if err != nil {
			return err
		}
		doc, err := sign(c.ring, p)
		if err != nil {
			return err
		}
		out = SignedProof{Proof: p, Document: doc}
		c.note("version.prove", fingerprints.VersionRef{Name: p.Secret, Number: p.Version}.String(), map[string]string{"outcome": string(p.Outcome)})
		return nil
	})
	if err != nil {
		return SignedProof{}, err
	}
	return out, nil
}

func sign(ring *keys.Ring, p Proof) ([]byte, error) {
	msg, err := proofMessage(p)
	if err != nil {
		return nil, err
	}
	doc := proofDocument{
		Proof: p, Epoch: ring.Epoch(), PublicKey: ring.Public(keys.PurposeSignProof),
		Signature: ring.Sign(keys.PurposeSignProof, msg),
	}
	return json.Marshal(doc)
}

func proofMessage(p Proof) ([]byte, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encoding a proof: %w", err)
	}
	return append([]byte(proofFormat+"\x00"), b...), nil
}

func (v *view) proof(ctx context.Context, ref fingerprints.VersionRef, o ProveOptions) (Proof, error) {
	cov, err := v.coverage(ctx, ref)
	if err != nil {
		return Proof{}, err
	}
	version, err := v.tx.Version(ctx, ref)
	if err != nil {
		return Proof{}, err
	}
	head, err := v.tx.LastAudit(ctx)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{
		Format: proofFormat, Installation: v.meta.Installation.String(), Ring: v.meta.Ring.String(),
		Secret: cov.Secret, Version: cov.Version, State: cov.State, Compromised: version.Compromised(), At: v.now,
		Revision: v.meta.Revision, PackRevision: v.meta.PackRevision, FieldRevision: v.meta.FieldRevision,
		IncludeHistory: o.IncludeHistory, AcceptSkip: o.AcceptSkip,
		Unsearchable: cov.Unsearchable, Sources: cov.Sources, AuditHead: head.Sequence,
	}
	found, err := v.tx.Findings(ctx, v.now, store.FindingFilter{Secret: cov.Secret, Version: cov.Version})
	if err != nil {
		return Proof{}, err
	}
	counting := 0
	for _, f := range found {
		if !f.Presence.Present() {
			continue
		}
		k := ProofCopy{Finding: f.ID, Source: f.SourceID, Path: f.Path, Presence: f.Presence, Counts: f.Presence.Live() || o.IncludeHistory}
		if k.Counts {
			counting++
		}
		p.Copies = append(p.Copies, k)
	}
	conclude(&p, counting, cov, o)
	return p, nil
}

// conclude sets outcome and reasons. A live copy weighs more than what is not
// known.
func conclude(p *Proof, copies int, cov Coverage, o ProveOptions) {
	var open []string
	if len(cov.Sources) == 0 {
		open = append(open, "no source was scanned")
	}
	for _, f := range cov.Unsearchable {
		open = append(open, fmt.Sprintf("field %s cannot be searched for: %s", f.Name, f.Unsearchable))
	}
	for _, s := range cov.Sources {
		switch s.State {
		case CoverageComplete:
		case CoverageSkipped:
			if n := notAccepted(s.All, o.AcceptSkip); n > 0 {
				open = append(open, s.Source+": "+counted(n, "skipped place is not accepted", "skipped places are not accepted"))
			}
		case CoveragePartial, CoveragePending:
			open = append(open, s.Source+": "+s.Reason)
		}
	}
	switch {
	case copies > 0:
		p.Outcome = LiveCopy
		p.Reasons = append([]string{counted(copies, "copy is still there", "copies are still there")}, open...)
	case len(open) > 0:
		p.Outcome, p.Reasons = CoverageNotReady, open
	default:
		p.Outcome = Proven
	}
}

func checkAcceptSkip(accept []string) error {
	known := fingerprints.SkipReasons()
	for _, a := range accept {
		reason, glob, _ := strings.Cut(a, ":")
		if reason != "all" && !slices.Contains(known, fingerprints.SkipReason(reason)) || !doublestar.ValidatePattern(glob) {
			return badInput("accept-skip", "write all, a reason, or REASON:GLOB; reasons are %s", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(known)), ", "), "[]"))
		}
	}
	return nil
}

// notAccepted counts the skips that no word of the user accepts. A failure is
// never accepted: the scan that has one is not complete.
func notAccepted(skips []fingerprints.Skip, accept []string) int {
	n := 0
	for _, k := range skips {
		ok := slices.ContainsFunc(accept, func(a string) bool {
			reason, glob, _ := strings.Cut(a, ":")
			return (reason == "all" || reason == string(k.Reason)) && pathMatch(glob, k.Path)
		})
		if !ok || k.Reason.Failure() {
			n++
		}
	}
	return n
}

// VerifyProof checks a document against this registry's ring.
func (r *Registry) VerifyProof(document []byte) (Proof, error) {
	ring := r.ring.Load()
	if ring == nil {
		return Proof{}, fmt.Errorf("verifying a proof: %w", ErrNoRing)
	}
	d, err := parseProof(document)
	if err != nil {
		return Proof{}, err
	}
	public, err := ring.PublicAt(keys.PurposeSignProof, d.Epoch)
	if err != nil {
		return Proof{}, fmt.Errorf("verifying a proof: %w", ErrBadProof)
	}
	if d.Proof.Ring != ring.ID().String() {
		return Proof{}, fmt.Errorf("verifying a proof: it is another ring's: %w", ErrBadProof)
	}
	return d.verify(public)
}

// VerifyProof checks a document against a public key.
func VerifyProof(document []byte, public ed25519.PublicKey) (Proof, error) {
	d, err := parseProof(document)
	if err != nil {
		return Proof{}, err
	}
	if len(public) != ed25519.PublicKeySize {
		return Proof{}, fmt.Errorf("verifying a proof: public key: %w: it must have %d bytes", ErrInput, ed25519.PublicKeySize)
	}
	return d.verify(public)
}

func parseProof(document []byte) (proofDocument, error) {
	var d proofDocument
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil || dec.More() || d.Proof.Format != proofFormat {
		return d, fmt.Errorf("reading a proof: %w", ErrBadProof)
	}
	// The signature is over what was read, not over the text: nothing may stand
	// in the text that another reader understands in another way.
	var text bytes.Buffer
	written, err := json.Marshal(d)
	if err != nil || json.Compact(&text, document) != nil || !bytes.Equal(text.Bytes(), written) {
		return d, fmt.Errorf("reading a proof: %w", ErrBadProof)
	}
	return d, nil
}

func (d proofDocument) verify(public ed25519.PublicKey) (Proof, error) {
	msg, err := proofMessage(d.Proof)
	if err != nil {
		return Proof{}, err
	}
	if !bytes.Equal(public, d.PublicKey) || !ed25519.Verify(public, msg, d.Signature) {
		return Proof{}, fmt.Errorf("verifying a proof: %w", ErrBadProof)
	}
	return d.Proof, nil
}
