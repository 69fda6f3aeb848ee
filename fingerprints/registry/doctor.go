package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// CheckLevel is how bad a check's outcome is.
type CheckLevel string

// The levels.
const (
	CheckOK      CheckLevel = "ok"
	CheckWarning CheckLevel = "warning"
	CheckFailure CheckLevel = "failure"
)

// CheckResult is the outcome of one check, with the way out.
type CheckResult struct {
	Name    string     `json:"name"`
	Level   CheckLevel `json:"level"`
	Message string     `json:"message"`
	Items   []string   `json:"items,omitempty"` // the first of what it is about
	Count   int        `json:"count,omitempty"`
}

// DoctorOptions names files and folders whose permissions are checked.
type DoctorOptions struct{ Private []string }

// Doctor checks the whole installation: what is wrong comes with the way out.
// An error means that nothing could be checked.
func (r *Registry) Doctor(ctx context.Context, a Actor, o DoctorOptions) ([]CheckResult, error) {
	out := []CheckResult{checkPermissions(o.Private)}
	if !a.May(ScopeRead) {
		return nil, fmt.Errorf("examining: %w %q", ErrForbidden, ScopeRead)
	}
	match := CheckResult{Name: "store and ring", Level: CheckOK, Message: "they belong together"}
	if err := r.Check(ctx); err != nil {
		match.Level, match.Message = CheckFailure, err.Error()
		return append(out, match), nil
	}
	out = append(out, match, r.checkAudit(ctx, a))
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		fields, err := v.checkFieldRows(ctx)
		if err != nil {
			return err
		}
		common, err := v.checkCommon(ctx)
		if err != nil {
			return err
		}
		owed, err := v.checkOwed(ctx)
		if err != nil {
			return err
		}
		debts, err := v.checkDebts(ctx)
		out = append(out, append(append(fields, common, owed), debts...)...)
		return err
	})
	return out, err
}

// checkPermissions wants files and folders with keys to be their owner's alone.
func checkPermissions(private []string) CheckResult {
	c := CheckResult{Name: "permissions", Level: CheckOK, Message: "keys and store are readable by their owner alone"}
	if runtime.GOOS == "windows" {
		c.Message = "not checked on this system"
		return c
	}
	for _, p := range private {
		info, err := os.Stat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			c.Level, c.Message = CheckFailure, "cannot be looked at: check who owns these"
			c.list(p)
		case info.Mode().Perm()&0o077 != 0:
			c.Level, c.Message = CheckFailure, "others can read these: chmod go-rwx"
			c.list(p)
		}
	}
	return c
}

// listed is how many items a check names.
const listed = 20

func (c *CheckResult) list(item string) {
	c.Count++
	if len(c.Items) < listed {
		c.Items = append(c.Items, item)
	}
}

func (r *Registry) checkAudit(ctx context.Context, a Actor) CheckResult {
	c := CheckResult{Name: "audit chain", Level: CheckOK}
	rep, err := r.VerifyAudit(ctx, a, nil)
	if err != nil {
		c.Level, c.Message = CheckFailure, err.Error()
		return c
	}
	c.Count = int(rep.Records)
	c.Message = counted(int(rep.Records), "record verifies", "records verify") + ", " + counted(rep.Checkpoints, "checkpoint", "checkpoints")
	return c
}

// checkFieldRows looks at every registered field.
func (v *view) checkFieldRows(ctx context.Context) ([]CheckResult, error) {
	ring := v.reg.ring.Load()
	open := registration.New(ring, v.reg.rand, nil)
	damaged := CheckResult{Name: "rows", Level: CheckOK, Message: "every registered field opens"}
	old := CheckResult{Name: "old registrations", Level: CheckOK, Message: "every field is registered in today's format and generation"}
	blind := CheckResult{Name: "not searchable", Level: CheckOK, Message: "every field can be searched for"}
	weak := CheckResult{Name: "weak values", Level: CheckOK, Message: "no registered value can be guessed"}
	err := v.tx.EachField(ctx, func(f fingerprints.FieldRow, x fingerprints.Version) error {
		name := x.Ref().String() + " " + f.Field
		if f.Unsearchable != "" {
			blind.add(CheckWarning, "these cannot be searched for; choose longer values", name+": "+f.Unsearchable)
			return nil
		}
		if _, err := open.Open(f); err != nil {
			damaged.add(CheckFailure, "these rows were moved or changed, and nothing finds them; register the values again", name)
			return nil //nolint:nilerr // it is what the check reports
		}
		switch {
		case v.unsearchable(f) != "":
			old.add(CheckFailure, "packs hold these no more; register the values again", name)
		case f.Format < registration.Format:
			old.add(CheckWarning, "registered in an older format; register the values again", name)
		}
		if f.Strength == fingerprints.StrengthWeak && x.State != fingerprints.StateRetired && x.State != fingerprints.StateAbandoned {
			weak.add(CheckWarning, "these can be guessed: a policy violation; rotate to generated values", name)
		}
		return nil
	})
	return []CheckResult{damaged, old, blind, weak}, err
}

// checkCommon lists weak values that are in too many sources to alert.
func (v *view) checkCommon(ctx context.Context) (CheckResult, error) {
	c := CheckResult{Name: "too common", Level: CheckOK, Message: "no weak value is in so many sources that it alerts no more"}
	rows, err := v.tx.TooCommon(ctx)
	if err != nil {
		return c, err
	}
	for _, row := range rows {
		label, err := labelOf(ctx, v.tx, row)
		if err != nil {
			return c, err
		}
		c.add(CheckWarning, fmt.Sprintf("weak and in more than %d sources, so their findings alert no more: a policy violation; rotate to generated values",
			fingerprints.TooCommonSources), label.Version.Ref().String()+" "+label.Field)
	}
	return c, nil
}

// checkOwed lists values that stored provenance was not searched for.
func (v *view) checkOwed(ctx context.Context) (CheckResult, error) {
	c := CheckResult{Name: "stored provenance", Level: CheckOK, Message: "it was searched for every registered value"}
	owed, _, err := readOwed(ctx, v.tx)
	for _, version := range owed {
		c.add(CheckWarning, "it was not searched for these, whose registering was cut off or is under way: register the same values again, by the same command", version)
	}
	return c, err
}

func (c *CheckResult) add(l CheckLevel, message, item string) {
	if c.Level != CheckFailure {
		c.Level, c.Message = l, message
	}
	c.list(item)
}

// checkDebts lists what was begun and not ended.
func (v *view) checkDebts(ctx context.Context) ([]CheckResult, error) {
	over := CheckResult{Name: "windows", Level: CheckOK, Message: "no superseded version is past its window"}
	many := CheckResult{Name: "active versions", Level: CheckOK, Message: "every secret has the active versions it should have"}
	all, err := v.tx.Secrets(ctx, store.SecretFilter{})
	if err != nil {
		return nil, err
	}
	versions, err := v.tx.VersionsOf(ctx, namesOf(all))
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		for _, x := range versions[s.Name] {
			if x.State == fingerprints.StateSuperseded && !x.WindowEnds.IsZero() && !v.now.Before(x.WindowEnds) {
				over.add(CheckWarning, "the window is over and the old value still opens the door: retire these", x.Ref().String())
			}
			if x.State == fingerprints.StateActive && x.Compromised() {
				many.add(CheckWarning, "these are compromised and still active: rotate", x.Ref().String())
			}
		}
	}
	unfinished, err := v.checkScans(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := v.checkDecisions(ctx)
	return []CheckResult{over, many, unfinished, decisions}, err
}

// checkDecisions lists decisions that hold for nothing.
func (v *view) checkDecisions(ctx context.Context) (CheckResult, error) {
	c := CheckResult{Name: "decisions", Level: CheckOK, Message: "every decision about findings is in use"}
	list, err := v.tx.Decisions(ctx)
	if err != nil {
		return c, err
	}
	for _, d := range list {
		shown, err := decisionView(ctx, v.tx, v.now, d)
		switch name := strconv.FormatInt(d.ID, 10); {
		case err != nil:
			return c, err
		case shown.Over:
			c.add(CheckWarning, "these have run out, or no finding has its status by them: take them back (revenant findings revoke)", name+": ran out")
		case shown.Present == 0:
			c.add(CheckWarning, "these have run out, or no finding has its status by them: take them back (revenant findings revoke)", name+": not in use")
		}
	}
	return c, nil
}

func (v *view) checkScans(ctx context.Context) (CheckResult, error) {
	c := CheckResult{Name: "scans", Level: CheckOK, Message: "the last scan of every source was finished"}
	sources, err := v.tx.Sources(ctx)
	if err != nil {
		return c, err
	}
	newest, err := v.tx.NewestScans(ctx)
	if err != nil {
		return c, err
	}
	for _, src := range sources {
		if scan, has := newest[src.ID]; has && scan.FinishedAt.IsZero() {
			c.add(CheckWarning, "running, or interrupted: scan these again", src.ID)
		}
	}
	return c, nil
}
