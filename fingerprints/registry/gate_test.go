package registry_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// mutations is one successful call of every exported method that changes
// something. Each must leave an audit entry, be refused without its scope, and
// leave nothing behind when the transaction fails.
func mutations() map[string]func(k *kit, a registry.Actor) error {
	s1 := ref("s", 1)
	return map[string]func(*kit, registry.Actor) error{
		"Add": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Add(k.ctx, a, registry.AddRequest{Name: "new", Fields: field(k.text(32))})
			return err
		},
		"Issue": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Issue(k.ctx, a, registry.IssueRequest{Name: "new"})
			return err
		},
		"Rotate": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Rotate(k.ctx, a, registry.RotateRequest{Name: "s", Generate: true})
			return err
		},
		"Import": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Import(k.ctx, a, stream(registry.ImportRecord{Name: "new", Fields: field(k.text(32))}), registry.ImportOptions{})
			return err
		},
		"Adopt": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Adopt(k.ctx, a, registry.AdoptRequest{
				Finding: string(k.fixture), Value: fingerprints.NewValue([]byte(k.value)), AddRequest: registry.AddRequest{Name: "new"},
			})
			return err
		},
		"Supersede": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Supersede(k.ctx, a, s1, registry.SupersedeOptions{})
			return err
		},
		"Retire": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Retire(k.ctx, a, s1, registry.RetireOptions{NoSuccessor: true})
			return err
		},
		"Compromise": func(k *kit, a registry.Actor) error { _, err := k.reg.Compromise(k.ctx, a, s1); return err },
		"Activate": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Activate(k.ctx, a, ref("waiting", 1), registry.ActivateOptions{})
			return err
		},
		"Abandon": func(k *kit, a registry.Actor) error { _, err := k.reg.Abandon(k.ctx, a, ref("waiting", 1)); return err },
		"Ack":     func(k *kit, a registry.Actor) error { _, err := k.reg.Ack(k.ctx, a, s1, "web"); return err },
		"Allow": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Allow(k.ctx, a, registry.AllowRequest{Name: "s", Path: "x/**", Reason: "r"})
			return err
		},
		"Unallow": func(k *kit, a registry.Actor) error { _, err := k.reg.Unallow(k.ctx, a, "s", k.home); return err },
		"Accept": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Accept(k.ctx, a, string(k.fixture), k.now.Add(1e15), "r")
			return err
		},
		"Dismiss": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Dismiss(k.ctx, a, string(k.fixture), "r")
			return err
		},
		"Decide": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Decide(k.ctx, a, registry.DecisionRequest{Finding: string(k.fixture), Status: fingerprints.StatusFalsePositive, Reason: "r"})
			return err
		},
		"Revoke": func(k *kit, a registry.Actor) error {
			r, err := k.reg.Decide(k.ctx, me(), registry.DecisionRequest{Rule: "*", Path: "**", Status: fingerprints.StatusFalsePositive, Reason: "r"})
			if err != nil {
				return err
			}
			_, err = k.reg.Revoke(k.ctx, a, r.Decision.ID)
			return err
		},
		"Assign": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Assign(k.ctx, a, string(k.fixture), "x")
			return err
		},
		"SetDue": func(k *kit, a registry.Actor) error {
			_, err := k.reg.SetDue(k.ctx, a, string(k.fixture), k.now.Add(time.Hour))
			return err
		},
		"Note": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Note(k.ctx, a, string(k.fixture), "asked the owner")
			return err
		},
		"Reopen": func(k *kit, a registry.Actor) error {
			if _, err := k.reg.Dismiss(k.ctx, me(), string(k.fixture), "r"); err != nil {
				return err
			}
			_, err := k.reg.Reopen(k.ctx, a, string(k.fixture))
			return err
		},
		"MoveSource": func(k *kit, a registry.Actor) error {
			_, err := k.reg.MoveSource(k.ctx, a, src, "dir:/opt")
			return err
		},
		"ForgetSource": func(k *kit, a registry.Actor) error { return k.reg.ForgetSource(k.ctx, a, src) },
		"BeginScan": func(k *kit, a registry.Actor) error {
			_, err := k.reg.BeginScan(k.ctx, a, registry.ScanStart{SourceID: src})
			return err
		},
		"Prove": func(k *kit, a registry.Actor) error {
			_, err := k.reg.Prove(k.ctx, a, s1, registry.ProveOptions{})
			return err
		},
		"AddWatch": func(k *kit, a registry.Actor) error {
			_, err := k.reg.AddWatch(k.ctx, a, registry.WatchSpec{Name: "new", Kind: "dir"}, k.now)
			return err
		},
		"KeepWatch": func(k *kit, a registry.Actor) error {
			return k.reg.KeepWatch(k.ctx, a, registry.WatchSpec{Name: "kept", Kind: "dir"}, k.now)
		},
		"ChangeWatch": func(k *kit, a registry.Actor) error {
			yes := true
			_, err := k.reg.ChangeWatch(k.ctx, a, watched, registry.WatchChange{Paused: &yes}, never)
			return err
		},
		"RemoveWatch": func(k *kit, a registry.Actor) error { _, err := k.reg.RemoveWatch(k.ctx, a, watched); return err },
		"RetryDelivery": func(k *kit, a registry.Actor) error {
			return k.reg.RetryDelivery(k.ctx, a, undelivered, time.Hour)
		},
		"AddToken": func(k *kit, a registry.Actor) error {
			_, _, err := k.reg.AddToken(k.ctx, a, registry.TokenRequest{Name: "new", Scopes: []registry.Scope{registry.ScopeAdmin}})
			return err
		},
		"RevokeToken": func(k *kit, a registry.Actor) error {
			_, err := k.reg.RevokeToken(k.ctx, a, k.token)
			return err
		},
		"AddPerson": func(k *kit, a registry.Actor) error {
			_, err := k.reg.AddPerson(k.ctx, a, registry.PersonRequest{Name: "new"})
			return err
		},
		"ChangePerson": func(k *kit, a registry.Actor) error {
			yes := true
			_, err := k.reg.ChangePerson(k.ctx, a, "ann", registry.PersonChange{Disabled: &yes})
			return err
		},
		"SignOutPerson": func(k *kit, a registry.Actor) error {
			n, err := k.reg.SignOutPerson(k.ctx, a, "ann")
			if err == nil && n != 1 {
				err = fmt.Errorf("%d sessions", n)
			}
			return err
		},
		"LinkPerson": func(k *kit, a registry.Actor) error {
			_, _, err := k.reg.LinkPerson(k.ctx, a, "bare", time.Hour)
			return err
		},
		"Checkpoint": func(k *kit, a registry.Actor) error { _, err := k.reg.Checkpoint(k.ctx, a); return err },
		"Rekey": func(k *kit, a registry.Actor) error {
			if err := k.ring.Rotate(k.rand, k.now, keys.RotateRoutine); err != nil {
				return err
			}
			_, err := k.reg.Rekey(k.ctx, a, k.ring)
			return err
		},
	}
}

// notMutations are the other exported methods: they read, or they are tested by
// themselves (Init, Check).
func notMutations() []string {
	return []string{
		"AllHomes", "AnswerRequest", "AuditAt", "AuditLog", "Authenticate", "BeginFlight", "BeginWatch", "BuildPack", "Changes", "Check", "ClaimRequest", "CountBehind", "CountWatches", "Coverage", "Decisions", "DecisionsForScan", "Deliveries", "Delivery", "Doctor", "DropWorker", "EndFlight", "EndOtherSessions", "EndSessions", "EndWatch", "Estate", "Export", "FeedEnd", "FieldLabels", "Finding", "Findings", "FindingsByID", "FindingsWithPlaces", "History", "Homes", "Init", "KeepDay", "KnownRows", "LeaveStream", "List", "LookUp", "Me", "Meta", "MySessions", "PackKey", "People", "Person", "Positions", "RedactOwed", "Redacted", "Refuse", "RefuseSignIn", "RegistrarState", "ReleaseRequest", "ReleaseWatch", "RemoveView", "Reschedule", "SaveView", "SavedViews", "SeeWorker", "Session", "SetMembers", "SetupCode", "Show", "SignInAs", "SignInByCode", "SignInWithToken", "Skips", "Source", "SourceIDs", "Sources", "SourcesAfter", "Standings", "Status", "Streams", "TakeDue", "TakeStream", "TellScan", "TellStream", "Tokens", "Trends", "Verdicts", "VerifyAudit", "VerifyProof", "Waiting", "WantScan", "WantSource", "Watch", "Watches", "Workers",
	}
}

// fixtures is a kit with one of everything.
func fixtures(t *testing.T) *kit {
	k := newKit(t)
	k.value = k.text(32)
	k.add("s", k.text(32))
	if _, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: "waiting", Fields: field(k.text(32)), Pending: true}); err != nil {
		t.Fatal(err)
	}
	o := k.seen(src, "a.env", k.value)
	k.fixture = o.FindingID
	k.scan(src, o)
	home, err := k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: "s", Path: "y/**", Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	k.home = home.Home.ID
	if _, err := k.reg.AddWatch(k.ctx, me(), registry.WatchSpec{Name: watched, Kind: "git", Location: "https://host/x"}, k.now); err != nil {
		t.Fatal(err)
	}
	token, _, err := k.reg.AddToken(k.ctx, me(), registry.TokenRequest{Name: "old", Scopes: []registry.Scope{registry.ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	k.token = token.ID
	for name, roles := range map[string][]registry.Role{"ann": {registry.RoleViewer}, "bare": nil} {
		if _, err := k.reg.AddPerson(k.ctx, me(), registry.PersonRequest{Name: name, Roles: roles}); err != nil {
			t.Fatal(err)
		}
	}
	k.signIn("ann")
	err = k.store.Update(k.ctx, func(tx store.Tx) error {
		if err := tx.AddDelivery(k.ctx, store.Delivery{ID: undelivered, Receiver: "r", CreatedAt: k.now, NextAt: k.now, Deadline: k.now}, nil); err != nil {
			return err
		}
		_, err := tx.GiveUp(k.ctx, k.now.Add(time.Hour), "gone")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// undelivered is a message of the fixtures that was given up.
const undelivered = "msg_lost"

// TestEveryMethodIsListed fails when an exported method of Registry is in
// neither list: a new mutation cannot dodge the tests below.
func TestEveryMethodIsListed(t *testing.T) {
	var have []string
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() {
				continue
			}
			if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok && star.X.(*ast.Ident).Name == "Registry" {
				have = append(have, fn.Name.Name)
			}
		}
	}
	listed := notMutations()
	for name := range mutations() {
		listed = append(listed, name)
	}
	slices.Sort(have)
	slices.Sort(listed)
	if diff := cmp.Diff(listed, have); diff != "" {
		t.Errorf("methods of Registry (-listed +there):\n%s", diff)
	}
}

func TestEveryMutationIsAudited(t *testing.T) {
	for name, run := range mutations() {
		t.Run(name, func(t *testing.T) {
			k := fixtures(t)
			head := k.head()
			if err := run(k, registry.Actor{Name: "auditor", Scopes: registry.Scopes()}); err != nil {
				t.Fatal(err)
			}
			var by []string
			err := k.reg.AuditLog(k.ctx, me(), head+1, func(e registry.AuditEntry) error {
				by = append(by, e.Actor)
				return nil
			})
			if err != nil || !slices.Contains(by, "auditor") {
				t.Errorf("no audit entry: %v, %v", by, err)
			}
			if _, err := k.reg.VerifyAudit(k.ctx, me(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNoScopeNoMutation(t *testing.T) {
	for name, run := range mutations() {
		t.Run(name, func(t *testing.T) {
			k := fixtures(t)
			before := k.meta()
			err := run(k, registry.Actor{Name: "nobody"})
			if !errors.Is(err, registry.ErrForbidden) {
				t.Fatalf("error %v, want ErrForbidden", err)
			}
			if diff := cmp.Diff(before, k.meta()); diff != "" {
				t.Error(diff)
			}
			if acts := k.actions(0); acts[len(acts)-1] != "denied" {
				t.Errorf("the attempt is not in the audit log: last is %s", acts[len(acts)-1])
			}
		})
	}
}

// failing is a store whose transactions fail at the end, as on a full disk.
type failing struct{ store.Store }

var errFull = errors.New("no space")

func (f failing) Update(ctx context.Context, fn func(store.Tx) error) error {
	return f.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errFull
	})
}

func TestFailureLeavesNothing(t *testing.T) {
	for name, run := range mutations() {
		if name == "Reopen" || name == "Rekey" {
			continue // they prepare something first
		}
		t.Run(name, func(t *testing.T) {
			k := fixtures(t)
			before, head, verdicts := k.meta(), k.head(), k.verdicts()
			good, whole := k.reg, k.store
			k.store = failing{whole}
			k.reg = k.open(k.ring)
			if err := run(k, me()); !errors.Is(err, errFull) {
				t.Fatalf("error %v, want the store's", err)
			}
			k.reg, k.store = good, whole
			if diff := cmp.Diff(before, k.meta()); diff != "" || k.head() != head {
				t.Errorf("meta or audit changed:\n%s", diff)
			}
			if diff := cmp.Diff(verdicts, k.verdicts()); diff != "" {
				t.Error(diff)
			}
			if err := run(k, me()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestInitAndForeignRing(t *testing.T) {
	k := newKit(t)
	if out, err := k.reg.Init(k.ctx, me()); err != nil || !out.Existed || out.Ring != k.ring.ID().String() {
		t.Errorf("repeated: %+v, %v", out, err)
	}
	if err := k.reg.Check(k.ctx); err != nil {
		t.Error(err)
	}
	other, err := keys.NewRing(k.rand, k.now)
	if err != nil {
		t.Fatal(err)
	}
	foreign := k.open(other)
	errs := map[string]error{"check": foreign.Check(k.ctx)}
	_, errs["init"] = foreign.Init(k.ctx, me())
	_, errs["list"] = foreign.List(k.ctx, me(), registry.ListFilter{})
	_, errs["add"] = foreign.Add(k.ctx, me(), registry.AddRequest{Name: "n", Fields: field(k.text(32))})
	_, errs["rekey"] = k.reg.Rekey(k.ctx, me(), other)
	for what, err := range errs {
		if !errors.Is(err, registry.ErrForeignRing) {
			t.Errorf("%s: error %v, want ErrForeignRing", what, err)
		}
	}
	none := k.open(nil)
	if _, err := none.Add(k.ctx, me(), registry.AddRequest{Name: "n", Fields: field(k.text(32))}); !errors.Is(err, registry.ErrNoRing) {
		t.Errorf("without a ring: error %v, want ErrNoRing", err)
	}
	if _, err := none.List(k.ctx, me(), registry.ListFilter{}); err != nil {
		t.Errorf("reading without a ring: %v", err)
	}
	if _, err := registry.New(registry.Options{}); err == nil {
		t.Error("a registry without a store")
	}
}

func TestAuditAgainstCheckpoint(t *testing.T) {
	k := fixtures(t)
	point, err := k.reg.Checkpoint(k.ctx, me())
	if err != nil {
		t.Fatal(err)
	}
	k.add("later", k.text(32))
	rep, err := k.reg.VerifyAudit(k.ctx, me(), point)
	if err != nil || !rep.Against || rep.Checkpoints != 1 || rep.Head.Sequence != k.head() || rep.Records != k.head() {
		t.Errorf("%+v, %v", rep, err)
	}
	if _, err := k.reg.VerifyAudit(k.ctx, me(), point[:len(point)-9]); !errors.Is(err, registry.ErrInput) {
		t.Errorf("a broken checkpoint: error %v, want ErrInput", err)
	}
	// An edit of the registry behind the gate's back shows by its revision.
	err = k.store.Update(k.ctx, func(tx store.Tx) error {
		m, err := tx.Meta(k.ctx)
		if err != nil {
			return err
		}
		m.Revision++
		return tx.SetMeta(k.ctx, m)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.VerifyAudit(k.ctx, me(), nil); !errors.Is(err, registry.ErrAuditBroken) {
		t.Errorf("error %v, want ErrAuditBroken", err)
	}
}

func TestHistory(t *testing.T) {
	k := newKit(t)
	k.add("s", k.text(32))
	k.add("s2", k.text(32))
	k.rotate("s", k.text(32), 0)
	got, err := k.reg.History(k.ctx, me(), "s")
	var what []string
	for _, e := range got {
		what = append(what, e.Action+" "+e.Subject)
	}
	want := []string{"secret.add s@1", "version.supersede s@1", "secret.rotate s@2"}
	if diff := cmp.Diff(want, what); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
