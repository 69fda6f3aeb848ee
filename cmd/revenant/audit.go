package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"revenant/fingerprints/registry"
)

func (a *app) auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "audit", GroupID: "care",
		Short: "Show and verify the audit log",
		Long: `Every change is a record in a chain of keyed hashes; signed checkpoints of its
head can be kept elsewhere, so that a rewritten or shortened log is noticed.`,
	}
	return group(c, a.auditList(), a.auditVerify(), a.auditCheckpoint())
}

func (a *app) auditList() *cobra.Command {
	var from uint64
	c := &cobra.Command{
		Use: "list", Short: "List audit records, oldest first",
		Example: "  revenant audit list --from 100", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				var all []registry.AuditEntry
				err := s.reg.AuditLog(ctx, s.actor, from, func(e registry.AuditEntry) error {
					all = append(all, e)
					return nil
				})
				if err != nil {
					return err
				}
				return a.printAuditEntries(all)
			})
		},
	}
	c.Flags().Uint64Var(&from, "from", 1, "first sequence number")
	return c
}

func (a *app) auditVerify() *cobra.Command {
	var against string
	c := &cobra.Command{
		Use: "verify", Short: "Check the whole chain and every checkpoint",
		Example: "  revenant audit verify --against checkpoint.txt", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var checkpoint []byte
			if against != "" {
				b, err := readFileLimited("--against", against, 1<<20)
				if err != nil {
					return err
				}
				checkpoint = b
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				r, err := s.reg.VerifyAudit(ctx, s.actor, checkpoint)
				if err != nil {
					return err
				}
				if s.home != nil {
					if err := s.home.checkHead(ctx); err != nil {
						return err
					}
				}
				if a.asJSON {
					return a.printJSON(r)
				}
				return writeAll(a.stdout, fmt.Sprintf("the audit chain holds: %s, head %d %.16s, %s\n", plural(int(r.Records), "record", "records"), r.Head.Sequence, r.Head.MAC, plural(r.Checkpoints, "checkpoint", "checkpoints")))
			})
		},
	}
	c.Flags().StringVar(&against, "against", "", "a checkpoint file that was kept elsewhere")
	return c
}

func (a *app) auditCheckpoint() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "checkpoint", Short: "Sign the newest record, to be kept where nobody can rewrite it",
		Example: "  revenant audit checkpoint --out checkpoint.txt", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				b, err := s.reg.Checkpoint(ctx, s.actor)
				if err != nil {
					return err
				}
				if out != "" {
					return a.writeBytes("--out", out, 0o644, b)
				}
				return writeAll(a.stdout, string(b))
			})
		},
	}
	c.Flags().StringVar(&out, "out", "", "write it to this file (default: standard output)")
	return c
}
