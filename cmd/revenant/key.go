package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store/sqlstore"
)

func (a *app) initCommand() *cobra.Command {
	var backup string
	var pf protectionFlags
	c := &cobra.Command{
		Use: "init", GroupID: "registry",
		Short: "Make a key ring and an empty registry",
		Long: `Makes both in REVENANT_HOME. Nothing that is there is replaced. Back the key
ring up, here with --backup-file or afterwards with 'revenant key backup':
without it the registry can be neither searched with nor added to.

With REVENANT_RING_PASSPHRASE set, the key ring's file is encrypted.`,
		Example: "  revenant init\n  revenant init --backup-file ring.age --passphrase-file pass.txt",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := a.homeDir()
			if err != nil {
				return err
			}
			if backup == "" {
				return a.initialise(c.Context(), dir, nil)
			}
			p, err := a.protectionOrAsk(pf)
			if err != nil {
				return err
			}
			return a.initialise(c.Context(), dir, func(ring *keys.Ring) (string, error) {
				return backup, a.backUp(ring, p, "--backup-file", backup, keystore.Backup)
			})
		},
	}
	c.Flags().StringVar(&backup, "backup-file", "", "also write an encrypted backup of the key ring to this file")
	pf.register(c)
	return c
}

// initialise makes what is missing; backUp, where it is not nil, says where it
// put a backup of the ring.
func (a *app) initialise(ctx context.Context, dir string, backUp func(*keys.Ring) (string, error)) error {
	if err := a.makeHome(dir); err != nil {
		return err
	}
	place, err := a.storePlace(dir)
	if err != nil {
		return err
	}
	home := a.keyHome(dir)
	ring, err := home.Load()
	if errors.Is(err, keystore.ErrNoRing) {
		if err := a.unkeyed(ctx, dir, place); err != nil {
			return err
		}
		if ring, err = keys.NewRing(a.rand, a.now()); err == nil {
			err = home.Save(ring)
		}
	}
	if err != nil {
		return err
	}
	st, err := sqlstore.Open(ctx, place, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		return err
	}
	s, err := a.newSession(dir, ring, st)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	done, err := s.reg.Init(ctx, s.actor)
	if err == nil {
		err = s.rememberHead(ctx)
	}
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	backup := ""
	if backUp != nil {
		if backup, err = backUp(ring); err != nil {
			return err
		}
	}
	return a.printInitialised(dir, done, backup)
}

func (a *app) printInitialised(dir string, done registry.Initialised, backup string) error {
	if a.asJSON {
		return a.printJSON(struct {
			registry.Initialised
			Home   string `json:"home"`
			Backup string `json:"backup,omitempty"`
		}{done, dir, backup})
	}
	text := fmt.Sprintf("%s: new registry, key ring %.12s\n", dir, done.Ring)
	if done.Existed {
		text = fmt.Sprintf("%s: registry and key ring %.12s are there already, nothing changed\n", dir, done.Ring)
	}
	if backup != "" {
		text += backup + ": the whole key ring; keep it apart from registry.db\n"
	}
	if err := writeAll(a.stdout, text); err != nil {
		return err
	}
	if done.Existed {
		return nil
	}
	if backup == "" {
		a.note("back the keys up now: revenant key backup --out ring.age --passphrase-file FILE")
	}
	a.note("then register a value: printf %s \"$VALUE\" | revenant secret add NAME")
	return nil
}

// backUp writes keys, encrypted, to the file that a flag names.
func (a *app) backUp(ring *keys.Ring, p keystore.Protection, flag, file string, export exporter) error {
	b, err := export(ring, p)
	if err != nil {
		return err
	}
	if err := a.writeBytes(flag, file, 0o600, b); err != nil {
		return fmt.Errorf("writing the keys: %w", err)
	}
	return nil
}

// exporter encrypts a ring, or a part of it.
type exporter func(*keys.Ring, keystore.Protection) ([]byte, error)

func (a *app) keyCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "key", GroupID: "care",
		Short: "Look after the key ring: status, backup, restore, rotation",
		Long: `The key ring makes every fingerprint. It lies in REVENANT_HOME/keys, readable by
you alone, and encrypted when REVENANT_RING_PASSPHRASE is set.`,
	}
	return group(c, a.keyStatus(), a.keyBackup(), a.keyRestore(), a.keyRotate(), a.keyVerify(), a.keyRegistrar())
}

func (p *protectionFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.passphraseFile, "passphrase-file", "", "file whose first line is the passphrase (default: $REVENANT_RING_PASSPHRASE)")
	if strings.HasPrefix(c.Use, "init") || strings.HasPrefix(c.Use, "backup") || strings.HasPrefix(c.Use, "registrar") {
		f.StringArrayVar(&p.recipients, "recipient", nil, "age recipient to encrypt to (repeat)")
		return
	}
	f.StringVar(&p.identityFile, "identity", "", "age identity file that opens it")
}

type ringJSON struct {
	Ring         string      `json:"ring"`
	Installation string      `json:"installation"`
	Encrypted    bool        `json:"encrypted"`
	FilterGens   []uint32    `json:"filter_generations"`
	Epochs       []epochJSON `json:"epochs"`
	ProofKey     string      `json:"proof_public_key"`
	AuditKey     string      `json:"audit_public_key"`
	PackKey      string      `json:"pack_public_key"`
}

type epochJSON struct {
	Epoch     uint32    `json:"epoch"`
	CreatedAt time.Time `json:"created_at"`
	Reason    string    `json:"reason"`
}

func (a *app) keyStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the key ring's id, epochs and public keys",
		Example: "  revenant key status --json", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.homeDir()
			if err != nil {
				return err
			}
			home := a.keyHome(dir)
			ring, err := home.Load()
			if err != nil {
				return err
			}
			return a.printRing(ring, home.Encrypted())
		},
	}
}

func (a *app) printRing(ring *keys.Ring, encrypted bool) error {
	v := ringJSON{
		Ring: ring.ID().String(), Installation: ring.Installation().String(), Encrypted: encrypted, FilterGens: ring.FilterGens(),
		ProofKey: hex.EncodeToString(ring.Public(keys.PurposeSignProof)),
		AuditKey: hex.EncodeToString(ring.Public(keys.PurposeSignAudit)),
		PackKey:  hex.EncodeToString(ring.Public(keys.PurposeSignPack)),
	}
	for _, e := range ring.Epochs() {
		v.Epochs = append(v.Epochs, epochJSON{e.Epoch, e.CreatedAt.UTC(), fmt.Sprint(e.Reason)})
	}
	if a.asJSON {
		return a.printJSON(v)
	}
	var b strings.Builder
	protected := "by the file's permissions (set REVENANT_RING_PASSPHRASE to encrypt it)"
	if encrypted {
		protected = "by a passphrase"
	}
	fmt.Fprintf(&b, "key ring       %s\ninstallation   %s\nprotected      %s\nfilters        %v\n", v.Ring, v.Installation, protected, v.FilterGens)
	for _, e := range v.Epochs {
		fmt.Fprintf(&b, "epoch %-8d since %s, %s\n", e.Epoch, when(e.CreatedAt), e.Reason)
	}
	fmt.Fprintf(&b, "proof key      %s\naudit key      %s\npack key       %s\n", v.ProofKey, v.AuditKey, v.PackKey)
	return writeAll(a.stdout, b.String())
}

func (a *app) keyBackup() *cobra.Command {
	return a.exportKeys(&cobra.Command{
		Use: "backup --out FILE", Short: "Write the key ring to an encrypted file",
		Long:    "Writes an age file, encrypted by a passphrase or to recipients. Keep it apart\nfrom the registry's own backup: both together are the whole installation.",
		Example: "  revenant key backup --out ring.age --passphrase-file pass.txt",
	}, "the whole key ring; keep it apart from registry.db", keystore.Backup)
}

func (a *app) keyRegistrar() *cobra.Command {
	return a.exportKeys(&cobra.Command{
		Use: "registrar --out FILE", Short: "Export the keys that registering needs, encrypted",
		Example: "  revenant key registrar --out registrar.age --passphrase-file pass.txt",
	}, "the registering keys", keystore.ExportRegistrar)
}

func (a *app) exportKeys(c *cobra.Command, what string, export exporter) *cobra.Command {
	var out string
	var pf protectionFlags
	c.Args = noArgs
	c.RunE = func(c *cobra.Command, _ []string) error {
		if out == "" {
			return usagef("say where to: --out FILE")
		}
		p, err := a.protectionOrAsk(pf)
		if err != nil {
			return err
		}
		dir, err := a.homeDir()
		if err != nil {
			return err
		}
		ring, err := a.keyHome(dir).Load()
		if err != nil {
			return err
		}
		if err := a.backUp(ring, p, "--out", out, export); err != nil {
			return err
		}
		if a.asJSON {
			return a.printJSON(map[string]any{"ring": ring.ID().String(), "epoch": ring.Epoch(), "file": out})
		}
		return writeAll(a.stdout, fmt.Sprintf("%s: %s (ring %.12s, epoch %d)\n", out, what, ring.ID().String(), ring.Epoch()))
	}
	c.Flags().StringVar(&out, "out", "", "file to write")
	pf.register(c)
	return c
}

func (a *app) keyRestore() *cobra.Command {
	var pf protectionFlags
	c := &cobra.Command{
		Use: "restore FILE", Short: "Bring the key ring back from a backup",
		Long: `Puts the ring of a backup into REVENANT_HOME. Another ring that is there is
never replaced, nor a newer state of the same one.`,
		Example: "  revenant key restore ring.age --passphrase-file pass.txt",
		Args:    argCount(1, 1, "one FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			ring, err := a.readBackup("FILE", args[0], pf)
			if err != nil {
				return err
			}
			dir, err := a.homeDir()
			if err != nil {
				return err
			}
			if err := a.makeHome(dir); err != nil {
				return err
			}
			if err := a.belongsTo(c.Context(), dir, ring); err != nil {
				return err
			}
			if err := a.keyHome(dir).Save(ring); err != nil {
				return err
			}
			if a.asJSON {
				return a.printJSON(map[string]any{"ring": ring.ID().String(), "epoch": ring.Epoch()})
			}
			return writeAll(a.stdout, fmt.Sprintf("key ring %.12s is back, epoch %d\n", ring.ID().String(), ring.Epoch()))
		},
	}
	pf.register(c)
	return c
}

// belongsTo refuses a ring that the store here was not made with.
func (a *app) belongsTo(ctx context.Context, dir string, ring *keys.Ring) error {
	place, err := a.storePlace(dir)
	if err != nil || !haveStore(place) {
		return err
	}
	st, err := sqlstore.Open(ctx, place, sqlstore.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer st.Close()
	s, err := a.newSession(dir, ring, st)
	if err != nil {
		return err
	}
	if err := s.reg.Check(ctx); !errors.Is(err, registry.ErrNotInitialised) {
		return err
	}
	return nil
}

func (a *app) readBackup(what, file string, pf protectionFlags) (*keys.Ring, error) {
	p, err := pf.protection(a)
	if err != nil {
		return nil, err
	}
	b, err := readFileLimited(what, file, 4<<20)
	if err != nil {
		return nil, err
	}
	ring, err := keystore.OpenBackup(b, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return ring, nil
}

func (a *app) keyRotate() *cobra.Command {
	var compromise, yes bool
	c := &cobra.Command{
		Use: "rotate", Short: "Begin a new epoch of keys",
		Long: `New values are registered under the new epoch; older ones are still found. After
a compromise (--compromise) the filter's keys change too. Two generations of the
filter are in use at most: where a third begins, what is registered under the
oldest must be registered again, and --drop-oldest says that you know.`,
		Example: "  revenant key rotate\n  revenant key rotate --compromise",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			why := keys.RotateRoutine
			if compromise {
				why = keys.RotateCompromise
			}
			return a.withRegistry(c.Context(), func(ctx context.Context, s *session) error {
				if gen := s.ring.Drops(why); gen != 0 && !yes {
					return usagef("this drops filter generation %d: what is registered under it is not found until it is registered again; say --drop-oldest if that is meant", gen)
				}
				ring, err := s.keys.Load() // a copy: the session's ring changes with Rekey
				if err != nil {
					return err
				}
				if err := ring.Rotate(a.rand, a.now(), why); err != nil {
					return fmt.Errorf("rotating the keys: %w", err)
				}
				if err := s.keys.Save(ring); err != nil {
					return err
				}
				r, err := s.reg.Rekey(ctx, s.actor, ring)
				if err != nil {
					return err
				}
				return a.printRekeyed(r)
			})
		},
	}
	c.Flags().BoolVar(&compromise, "compromise", false, "the keys are known to somebody: change the filter's keys as well")
	c.Flags().BoolVar(&yes, "drop-oldest", false, "go on although values of the oldest filter must be registered again")
	return c
}

func (a *app) printRekeyed(r registry.Rekeyed) error {
	if a.asJSON {
		return a.printJSON(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "epoch %d: %d fields under it, %d under older keys (still found)\n", r.Epoch, r.Current, r.Older)
	if r.Unsearchable > 0 {
		fmt.Fprintf(&b, "%s must be registered again to be found:\n", plural(r.Unsearchable, "field", "fields"))
		for _, n := range slices.Sorted(slices.Values(r.Names)) {
			fmt.Fprintf(&b, "  %s\n", n)
		}
	}
	b.WriteString("back the keys up again: older backups lack this epoch\n")
	return writeAll(a.stdout, b.String())
}

func (a *app) keyVerify() *cobra.Command {
	var backup string
	var pf protectionFlags
	c := &cobra.Command{
		Use: "verify", Short: "Check that keys, registry and a backup belong together",
		Example: "  revenant key verify --backup ring.age --passphrase-file pass.txt", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRegistry(c.Context(), func(ctx context.Context, s *session) error {
				if _, err := s.reg.VerifyAudit(ctx, s.actor, nil); err != nil {
					return err
				}
				what := "the key ring opens the registry and its audit chain"
				if backup != "" {
					ring, err := a.readBackup("--backup", backup, pf)
					switch {
					case err != nil:
						return err
					case ring.ID() != s.ring.ID():
						return fmt.Errorf("the backup holds another key ring (%.12s): %w", ring.ID().String(), registry.ErrForeignRing)
					case ring.Epoch() < s.ring.Epoch():
						return fmt.Errorf("the backup lacks the newest keys (epoch %d of %d): make a new one with `revenant key backup`", ring.Epoch(), s.ring.Epoch())
					}
					what += "; the backup holds it too, whole"
				}
				if a.asJSON {
					return a.printJSON(map[string]any{"ok": true, "ring": s.ring.ID().String(), "epoch": s.ring.Epoch(), "backup": backup != ""})
				}
				return writeAll(a.stdout, what+"\n")
			})
		},
	}
	c.Flags().StringVar(&backup, "backup", "", "a backup to check as well")
	pf.register(c)
	return c
}
