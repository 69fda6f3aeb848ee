package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/keystore"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registry"
)

func (a *app) packCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "pack", GroupID: "care",
		Short: "Export, pull, inspect and verify packs of fingerprints",
		Long: `A pack is the registry compiled for scanners. An edge pack, for laptops and
pipelines, holds strong values only; it opens with the edge key file of its
holders, which is written once for each group of holders.`,
	}
	return group(c, a.packExport(), a.packPull(), a.packInspect(), a.packVerify())
}

func (a *app) packExport() *cobra.Command {
	var audience, groupName, out, keyOut string
	var lifetime time.Duration
	c := &cobra.Command{
		Use: "export", Short: "Write a pack, and the key file that opens it",
		Example: "  revenant pack export --out edge.pack --key-out edge.key --expires 720h",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			aud, err := oneOf("--audience", audience, []fingerprints.Audience{fingerprints.AudienceEdge, fingerprints.AudienceCore})
			switch {
			case err != nil:
				return err
			case out == "":
				return usagef("say where to: --out FILE")
			case keyOut != "" && aud != fingerprints.AudienceEdge:
				return usagef("--key-out is for edge packs: a core pack opens with the key ring, which is not given away")
			case groupName != "" && aud != fingerprints.AudienceEdge:
				return usagef("--group is for edge packs: a core pack opens with the key ring, whoever holds it")
			case keyOut != "" && filepath.Clean(keyOut) == filepath.Clean(out):
				return usagef("--out and --key-out name one file: give each its own, and keep the key apart from the pack")
			}
			if groupName != "" {
				if err := fingerprints.CheckName(groupName); err != nil {
					return usagef("--group: %w", err)
				}
			}
			q := registry.PackRequest{Audience: aud, Group: groupName}
			if lifetime > 0 {
				q.Expires = a.now().Add(lifetime)
			}
			return a.withRegistry(c.Context(), func(ctx context.Context, s *session) error {
				var info registry.PackInfo
				err := a.writeOut("--out", out, 0o600, func(w io.Writer) (err error) {
					info, err = s.reg.BuildPack(ctx, s.actor, q, w)
					return err
				})
				if err != nil {
					return fmt.Errorf("exporting the pack: %w", err)
				}
				if keyOut != "" {
					if err := a.writeBytes("--key-out", keyOut, 0o600, keystore.MarshalEdge(s.ring.EdgeKeys(groupName))); err != nil {
						return err
					}
				}
				return a.printPackInfo(out, keyOut, info)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&audience, "audience", "edge", "edge (laptops, pipelines) or core (servers)")
	f.StringVar(&groupName, "group", "", "group of holders that share a key")
	f.StringVar(&out, "out", "", "file to write the pack to")
	f.StringVar(&keyOut, "key-out", "", "file to write the holders' edge keys to")
	f.DurationVar(&lifetime, "expires", 30*24*time.Hour, "how long the pack may be used; 0: for ever")
	return c
}

func (a *app) printPackInfo(out, keyOut string, info registry.PackInfo) error {
	if a.asJSON {
		return a.printJSON(info)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s, revision %d\n", out, plural(info.Fields, "registered value", "registered values"), bytesText(info.Bytes), info.PackRevision)
	for why, n := range info.LeftOut {
		fmt.Fprintf(&b, "  left out: %d, %s\n", n, why)
	}
	if keyOut != "" {
		fmt.Fprintf(&b, "%s: edge keys; hand them over like a password\n", keyOut)
	}
	return writeAll(a.stdout, b.String())
}

// packJSON is what is said of a pack's header.
type packJSON struct {
	Format        uint16                `json:"format"`
	Ring          string                `json:"ring"`
	Installation  string                `json:"installation"`
	Audience      fingerprints.Audience `json:"audience"`
	Group         string                `json:"group,omitempty"`
	Revision      uint64                `json:"revision"`
	FieldRevision uint64                `json:"field_revision"`
	Created       time.Time             `json:"created"`
	Expires       *time.Time            `json:"expires,omitempty"`
	Expired       bool                  `json:"expired"`
	Epochs        []uint32              `json:"epochs"`
	FilterGens    []uint32              `json:"filter_generations"`
	Bytes         int64                 `json:"bytes"`
	Verified      bool                  `json:"verified"`
}

func (a *app) printPack(h pack.Header, size int64, verified bool) error {
	p := packJSON{
		Format: h.Format, Ring: hex.EncodeToString(h.Ring[:]), Installation: hex.EncodeToString(h.Installation[:]),
		Audience: h.Audience, Group: h.Group, Revision: h.Revision, FieldRevision: h.FieldRevision, Created: h.Created,
		Expires: jsonTime(h.Expires), Expired: !h.Expires.IsZero() && !a.now().Before(h.Expires),
		Epochs: h.Epochs, FilterGens: h.FilterGens, Bytes: size, Verified: verified,
	}
	if a.asJSON {
		return a.printJSON(p)
	}
	var b strings.Builder
	state := "not verified: inspect reads the header alone"
	if verified {
		state = "verified: signature, every segment, every label"
	}
	fmt.Fprintf(&b, "%s pack, format %d, %s\nring           %s\ninstallation   %s\nrevision       %d (fields %d)\ncreated        %s\n",
		p.Audience, p.Format, bytesText(size), p.Ring, p.Installation, p.Revision, p.FieldRevision, when(p.Created))
	expires := "never"
	if p.Expires != nil {
		expires = when(*p.Expires)
		if p.Expired {
			expires += " (expired)"
		}
	}
	fmt.Fprintf(&b, "expires        %s\nkey epochs     %v, filter generations %v\n%s\n", expires, p.Epochs, p.FilterGens, state)
	return writeAll(a.stdout, b.String())
}

func (a *app) packInspect() *cobra.Command {
	return &cobra.Command{
		Use: "inspect FILE", Short: "Show a pack's header, without any key",
		Example: "  revenant pack inspect edge.pack", Args: argCount(1, 1, "one FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return openPack(args[0], func(f *os.File, size int64) error {
				h, err := pack.Inspect(f, size)
				if err != nil {
					return fmt.Errorf("inspecting the pack FILE: %w", err)
				}
				return a.printPack(h, size, false)
			})
		},
	}
}

func (a *app) packVerify() *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use: "verify FILE", Short: "Check a pack's signature, seals and labels",
		Example: "  revenant pack verify edge.pack --pack-key edge.key", Args: argCount(1, 1, "one FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			return openPack(args[0], func(f *os.File, size int64) error {
				check := func(ks pack.Keys) error {
					h, err := pack.Verify(f, size, ks, pack.Options{Now: a.now()})
					if err != nil {
						return fmt.Errorf("verifying the pack FILE: %w", err)
					}
					return a.printPack(h, size, true)
				}
				if keyFile != "" || a.env("REVENANT_PACK_KEY") != "" {
					edge, err := a.edgeKeys(keyFile)
					if err != nil {
						return err
					}
					return check(edge)
				}
				return a.withRegistry(c.Context(), func(_ context.Context, s *session) error {
					h, err := pack.Inspect(f, size)
					if err != nil {
						return fmt.Errorf("verifying the pack FILE: %w", err)
					}
					return check(s.ring.Issuer(h.Group))
				})
			})
		},
	}
	c.Flags().StringVar(&keyFile, "pack-key", "", "edge key file (default: $REVENANT_PACK_KEY, else the key ring)")
	return c
}

func openPack(name string, fn func(*os.File, int64) error) error {
	f, err := os.Open(name)
	if err != nil {
		return fileError("FILE", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return usagef("FILE names no file: give a regular file")
	}
	return fn(f, info.Size())
}
