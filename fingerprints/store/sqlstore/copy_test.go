package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
)

// furnish puts something into every table, with texts that only some databases
// hold, times that are absent, and empty bytes.
func furnish(t *testing.T, s store.Store) {
	t.Helper()
	at := time.Date(2031, 2, 3, 4, 5, 6, 7000, time.UTC)
	v := fill(t, s, 2000)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		home, err := tx.AddAllow(ctx, store.Allow{Secret: v.Secret, SourceGlob: "**", PathGlob: "**", Until: at, CreatedAt: at})
		if err != nil {
			return err
		}
		whole, err := tx.AddAllow(ctx, store.Allow{Secret: v.Secret, SourceGlob: "**", PathGlob: "**", Whole: true})
		if err != nil {
			return err
		}
		decision, err := tx.AddDecision(ctx, store.Decision{Rule: "*", SourceGlob: "**", PathGlob: "é/**", Status: fingerprints.StatusAccepted, Reason: "a\x00b\xff"})
		if err != nil {
			return err
		}
		o := sample(500_000, 3)
		for i := range o {
			o[i].AllowIDs, o[i].DecisionIDs = []int64{home}, []int64{decision}
			o[i].Path, o[i].Sighting.Locator = "Straße/Ä\xfe"+strconv.Itoa(i), fmt.Sprintf("%05000d", i)
		}
		o[2].Value = fingerprints.ValueID{}
		if _, err := tx.Record(ctx, at, o); err != nil {
			return err
		}
		scan, err := tx.StartScan(ctx, store.Scan{SourceID: "dir:/x", StartedAt: at, Complete: true, Cursor: []byte{0, 1, 0xff}})
		if err != nil {
			return err
		}
		return errors.Join(
			putSecrets(ctx, tx, 0, 700),
			tx.CoverSources(ctx, whole, []string{"dir:/x"}),
			tx.SetMeta(ctx, store.Meta{Installation: fingerprints.InstallationID{1}, Ring: fingerprints.RingID{2}, CreatedAt: at, Revision: 9}),
			tx.PutAck(ctx, store.Ack{Version: v.ID, Consumer: "api", At: at}),
			tx.PutWatch(ctx, store.Watch{Name: "shop", Kind: "git", Location: "https://host/é", Options: []byte{'{', 0, '}'}, AddedAt: at}),
			tx.PutWorker(ctx, store.Worker{ID: "a", Host: "h", SeenAt: at, Slots: 3}),
			tx.MergeFinding(ctx, at, o[0].FindingID, o[1].FindingID),
			tx.AddSkips(ctx, scan, []fingerprints.Skip{{Path: fmt.Sprintf("%04000d", 1), Reason: fingerprints.SkipTooLarge, Size: -1}}),
			tx.AppendAudit(ctx, store.AuditRecord{Sequence: 1, At: at.Add(123), Actor: "me", Content: []byte("{}")}),
			tx.PutCheckpoint(ctx, 1, nil),
			tx.PutPositions(ctx, "dir:/x", map[string][]byte{"0": {0, 0xff}}),
			tx.PutToken(ctx, store.Token{ID: "tk_1", Name: "ci", Hash: [32]byte{0, 0xff}, Scopes: []string{"read"}, CreatedAt: at}),
			tx.PutRequest(ctx, store.Request{Actor: "token:ci", Key: [32]byte{1, 0xff}, Operation: "add-watch", Body: [32]byte{2}, At: at, Answered: at, Status: 201, Answer: []byte("{}"), Subject: "7"}),
			tx.PutLookUps(ctx, store.LookUps{Actor: "token:é", Day: at, Asked: 3, Known: 2, Refused: 1}),
			tx.PutPerson(ctx, store.Person{ID: "pn_1", Name: "é", CreatedAt: at}),
			tx.PutSession(ctx, store.Session{ID: "ss_1", Hash: [32]byte{1, 0xff}, Person: "pn_1", CreatedAt: at, SeenAt: at, EndsAt: at}),
			tx.PutCode(ctx, store.Code{Hash: [32]byte{2, 0xff}, Purpose: "link", EndsAt: at}),
			tx.SetMark(ctx, "feed", "", "1"),
			tx.PutDay(ctx, store.Day{Day: at}),
			tx.PutView(ctx, store.SavedView{Owner: "me", Name: "é", Query: "is:late", CreatedAt: at}),
			tx.PutTold(ctx, []store.Told{{Receiver: "chat", Finding: o[1].FindingID, Word: "leaked", At: at}}),
			tx.AddDelivery(ctx, store.Delivery{ID: "m1", Receiver: "chat", CreatedAt: at, NextAt: at, Deadline: at}, []store.Notice{{Receiver: "chat", Finding: o[1].FindingID, At: at}}),
		)
	})
}

// contents reads every row of a store, or of some tables, as text.
func contents(t *testing.T, s *sqlstore.Store, only ...string) map[string][]string {
	t.Helper()
	out, err := sqlstore.Rows(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(only) > 0 {
		maps.DeleteFunc(out, func(table string, _ []string) bool { return !slices.Contains(only, table) })
	}
	for table, rows := range out {
		if len(rows) == 0 {
			t.Errorf("table %s is empty: the test would prove nothing of it", table)
		}
	}
	return out
}

// TestCopy carries a store from SQLite to PostgreSQL, to another PostgreSQL, and
// back into a file, and compares every row each time.
func TestCopy(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{})
	first := create(t, filepath.Join(t.TempDir(), "registry.db"))
	furnish(t, first)
	want := contents(t, first)
	rows := int64(0)
	for _, list := range want {
		rows += int64(len(list))
	}
	same := func(what string, s *sqlstore.Store, done sqlstore.Copied, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if done.Rows != rows || done.Tables != len(want) {
			t.Errorf("%s: %+v copied, want %d rows of %d tables", what, done, rows, len(want))
		}
		if d := cmp.Diff(want, contents(t, s)); d != "" {
			t.Errorf("%s:\n%s", what, d)
		}
	}
	second, third := create(t, server.Schema(t)), create(t, server.Schema(t))
	done, err := sqlstore.Copy(t.Context(), first, second)
	same("into PostgreSQL", second, done, err)
	done, err = sqlstore.Copy(t.Context(), second, third)
	same("from one to another", third, done, err)
	path := filepath.Join(t.TempDir(), "sub", "registry.db")
	done, err = sqlstore.CopyToFile(t.Context(), third, path)
	if err != nil {
		t.Fatal(err)
	}
	fourth := create(t, path)
	same("back into a file", fourth, done, err)
	same("the original", first, done, nil)
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	// Numbers are given out on from where they were.
	for _, s := range []*sqlstore.Store{third, fourth} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Record(ctx, time.Unix(9, 0), sample(700_000, 5))
			return err
		})
	}
	if _, err := sqlstore.Copy(t.Context(), first, third); !errors.Is(err, sqlstore.ErrNotEmpty) {
		t.Errorf("into a store that is not empty: %v", err)
	}
	if _, err := sqlstore.CopyToFile(t.Context(), first, path); !errors.Is(err, sqlstore.ErrNotEmpty) {
		t.Errorf("onto a file: %v", err)
	}
	if _, err := sqlstore.Copy(t.Context(), first, first); !errors.Is(err, sqlstore.ErrNotEmpty) {
		t.Errorf("onto itself: %v", err)
	}
	copyStopped(t, first, server)
}

// copyStopped stops copies in the middle: nothing of them is there, and the next
// one goes through.
func copyStopped(t *testing.T, from *sqlstore.Store, server *postgrestest.Server) {
	t.Helper()
	to := create(t, server.Schema(t))
	rng := rand.New(rand.NewPCG(3, 4))
	stopped := 0
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(60))*time.Millisecond)
		_, err := sqlstore.Copy(ctx, from, to)
		cancel()
		if err == nil {
			t.Fatal("the copy was done before it was stopped: let it have more rows")
		}
		stopped++
		err = to.View(t.Context(), func(tx store.Tx) error {
			_, err := tx.Meta(t.Context())
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a stopped copy says what it is: %v", err)
		}
		path := filepath.Join(t.TempDir(), "registry.db")
		ctx, cancel = context.WithTimeout(t.Context(), time.Duration(rng.IntN(20))*time.Millisecond)
		_, err = sqlstore.CopyToFile(ctx, from, path)
		cancel()
		if _, there := os.Lstat(path); err != nil && !errors.Is(there, os.ErrNotExist) {
			t.Errorf("a stopped copy left its file (%v)", err)
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
		if len(left) > 0 || err != nil {
			t.Errorf("a stopped copy left %v, %v", left, err)
		}
	}
	if done, err := sqlstore.Copy(t.Context(), from, to); err != nil || done.Rows < 1000 {
		t.Errorf("after %d stopped copies: %+v, %v", stopped, done, err)
	}
}
