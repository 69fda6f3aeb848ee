package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints/registry"
)

func (a *app) proveCommand() *cobra.Command {
	var o registry.ProveOptions
	var verify, public, out string
	c := &cobra.Command{
		Use: "prove NAME@N | prove --verify FILE", GroupID: "know",
		Short: "Prove that a version has no live copy in anything that was scanned",
		Long: `Prints a signed document: every source, how far it was searched, what was
skipped, the pack's revision and the time.

Exit codes: 0 proven; 1 a live copy exists; 3 coverage is not complete,
something was skipped that --accept-skip does not accept, or a field cannot be
searched for; 2 wrong usage. With --verify: 0 when the document is genuine,
whatever its outcome, else 3.`,
		Example: `  revenant prove billing/db-password@1
  revenant prove billing/db-password@1 --accept-skip symlink --out proof.json
  revenant prove --verify proof.json`,
		Args: argCount(0, 1, "one NAME@N, or --verify FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if verify != "" {
				if len(args) != 0 {
					return usagef("--verify takes the file alone, without NAME@N")
				}
				return a.verifyProof(c.Context(), verify, public)
			}
			if len(args) == 0 {
				return usagef("say which version: revenant prove NAME@N, or check a document: revenant prove --verify FILE")
			}
			ref, err := versionArg(args[0])
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				p, err := s.reg.Prove(ctx, s.actor, ref, o)
				if err != nil {
					return err
				}
				return a.printProof(p, out)
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&o.IncludeHistory, "include-history", false, "copies that need digging count too")
	f.StringSliceVar(&o.AcceptSkip, "accept-skip", nil, "skip reasons that do not stand in the way: REASON, REASON:GLOB or all")
	f.StringVar(&verify, "verify", "", "check a proof document (- for standard input)")
	f.StringVar(&public, "public-key", "", "with --verify: hex file of the installation's proof key, where the ring is not at hand")
	f.StringVar(&out, "out", "", "write the document to this file and a summary to standard output")
	return c
}

func (a *app) printProof(p registry.SignedProof, out string) error {
	a.code = p.Proof.Outcome.ExitCode()
	if out != "" {
		if err := a.writeBytes("--out", out, 0o644, append(p.Document, '\n')); err != nil {
			return fmt.Errorf("writing the proof: %w", err)
		}
	}
	if a.asJSON {
		return writeAll(a.stdout, string(p.Document)+"\n")
	}
	return writeAll(a.stdout, proofText(p.Proof))
}

func proofText(p registry.Proof) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s@%d (%s): %s\n", p.Secret, p.Version, p.State, p.Outcome)
	for _, r := range p.Reasons {
		fmt.Fprintf(&b, "  %s\n", printable(r))
	}
	for _, cp := range p.Copies {
		note := ""
		if !cp.Counts {
			note = " (listed only)"
		}
		fmt.Fprintf(&b, "  copy: %s %s, %s, %s%s\n", shortID(cp.Finding), printable(cp.Path), cp.Presence, printable(cp.Source), note)
	}
	covered := true
	for _, s := range p.Sources {
		covered = covered && s.State == registry.CoverageComplete
	}
	writeCoverage(&b, "this version", covered && len(p.Sources) > 0, p.Sources)
	fmt.Fprintf(&b, "registry revision %d, pack revision %d, %s\n", p.Revision, p.PackRevision, when(p.At))
	return b.String()
}

func (a *app) verifyProof(ctx context.Context, file, publicFile string) error {
	in, err := a.openInput("--verify", file)
	if err != nil {
		return err
	}
	defer in.Close()
	doc, err := readLimited(in, maxProof)
	if err != nil {
		return fmt.Errorf("reading the proof: %w", err)
	}
	if publicFile != "" {
		key, err := readPublicKey(publicFile)
		if err != nil {
			return err
		}
		p, err := registry.VerifyProof(doc, key)
		return a.printVerified(p, err)
	}
	return a.withKnown(ctx, func(ctx context.Context, s *known) error {
		if s.home == nil {
			p, err := s.remote.CheckProof(ctx, doc)
			return a.printVerified(p, err)
		}
		p, err := s.home.reg.VerifyProof(doc)
		return a.printVerified(p, err)
	})
}

const maxProof = 64 << 20

func readPublicKey(file string) (ed25519.PublicKey, error) {
	b, err := readFileLimited("--public-key", file, 4096)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, usagef("--public-key: the file does not hold a public key: it is 64 hex digits, the proof key that `revenant key status` prints")
	}
	return key, nil
}

func (a *app) printVerified(p registry.Proof, err error) error {
	if err != nil {
		return fmt.Errorf("--verify: %w", err)
	}
	if a.asJSON {
		return a.printJSON(struct {
			Valid bool           `json:"valid"`
			Proof registry.Proof `json:"proof"`
		}{true, p})
	}
	return writeAll(a.stdout, "valid, signed by this installation\n"+proofText(p))
}
