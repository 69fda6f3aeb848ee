package sqlstore_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

// The test binary starts itself again as another process on the same store.
const (
	roleVariable = "SQLSTORE_TEST_ROLE"
	pathVariable = "SQLSTORE_TEST_PATH"
)

func TestMain(m *testing.M) {
	roles := map[string]func(context.Context, *sqlstore.Store) error{"hold": hold, "count": count, "write": write}
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	s, err := sqlstore.Open(context.Background(), os.Getenv(pathVariable), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err == nil {
		err = errors.Join(role(context.Background(), s), s.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// process is this test binary in a role.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, role, path string) process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return process{cmd, in, bufio.NewScanner(out)}
}

// hold keeps an Update open until its input ends.
func hold(ctx context.Context, s *sqlstore.Store) error {
	return s.Update(ctx, func(tx store.Tx) error {
		if err := putSecrets(ctx, tx, 0, 1); err != nil {
			return err
		}
		fmt.Println("holding")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	})
}

func TestLocked(t *testing.T) { locked(t, filepath.Join(t.TempDir(), "registry.db")) }

func locked(t *testing.T, path string) {
	t.Helper()
	create(t, path)
	p := start(t, "hold", path)
	if !p.out.Scan() {
		t.Fatal("the other process did not start")
	}
	s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{LockTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatalf("opening beside a writer: %v", err)
	}
	defer func() { _ = s.Close() }()
	err = s.Update(t.Context(), func(store.Tx) error { return nil })
	explained(t, err, s.Name(), store.ErrLocked, "try again")
	secrets := func(want int) {
		t.Helper()
		err := s.View(t.Context(), func(tx store.Tx) error {
			list, err := tx.Secrets(t.Context(), store.SecretFilter{})
			if len(list) != want {
				t.Errorf("%d secrets, want %d", len(list), want)
			}
			return err
		})
		if err != nil {
			t.Errorf("reading beside a writer: %v", err)
		}
	}
	secrets(0)
	if err := errors.Join(p.in.Close(), p.Wait()); err != nil {
		t.Fatal(err)
	}
	secrets(1)
	if err := s.Update(t.Context(), func(store.Tx) error { return nil }); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// count adds to the revision many times, in as many transactions.
func count(ctx context.Context, s *sqlstore.Store) error {
	for range 60 {
		err := s.Update(ctx, func(tx store.Tx) error {
			m, err := tx.Meta(ctx)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			m.Revision++
			return tx.SetMeta(ctx, m)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestTwoProcesses(t *testing.T) { twoProcesses(t, filepath.Join(t.TempDir(), "registry.db")) }

func twoProcesses(t *testing.T, path string) {
	t.Helper()
	p := start(t, "count", path) // both may be the one that creates it
	s := create(t, path)
	if err := errors.Join(count(t.Context(), s), p.Wait()); err != nil {
		t.Fatal(err)
	}
	if got := revision(t, s); got != 120 {
		t.Errorf("revision %d, want 120: updates were lost", got)
	}
}

func revision(t *testing.T, s *sqlstore.Store) (n uint64) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.Tx) error {
		m, err := tx.Meta(t.Context())
		n = m.Revision
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return n
}

// batchSize is how many sightings each transaction of write records.
const batchSize = 40

// write goes on for ever: transaction n makes secret n, revision n, audit
// record n and batchSize findings, and makes the findings of n-1 gone.
func write(ctx context.Context, s *sqlstore.Store) error {
	for {
		var n int
		err := s.Update(ctx, func(tx store.Tx) error {
			m, err := tx.Meta(ctx)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			m.Revision++
			n = int(m.Revision)
			return writeOne(ctx, tx, m)
		})
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func writeOne(ctx context.Context, tx store.Tx, m store.Meta) error {
	n := int(m.Revision)
	at := time.Unix(int64(n), 0)
	err := errors.Join(tx.SetMeta(ctx, m), putSecrets(ctx, tx, n, 1), tx.PutSource(ctx, store.Source{ID: "dir:/x"}),
		tx.AppendAudit(ctx, store.AuditRecord{Sequence: m.Revision, At: at}))
	if err != nil {
		return err
	}
	if _, err := tx.Record(ctx, at, sample(n*batchSize, batchSize)); err != nil {
		return err
	}
	_, err = tx.MarkUnseen(ctx, "dir:/x", "", at, at, nil)
	return err
}

// sample makes sightings of n new findings.
func sample(from, n int) []store.Observed {
	var batch []store.Observed
	for i := from; i < from+n; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))) // ids are spread as real ones are
		v := fingerprints.ValueID(sum[:16])
		batch = append(batch, store.Observed{
			FindingID: fingerprints.FindingID("rv1:" + v.String()), Value: v, PathID: fingerprints.PathID(v), SourceID: "dir:/x",
			Path:     "conf/app.env",
			Sighting: fingerprints.Sighting{End: 20, Line: 1, Form: fingerprints.FormRaw, Presence: fingerprints.PresenceTip, Context: "password=[redacted]"},
		})
	}
	return batch
}

// TestKilled kills a writing process at random moments. What it said was
// stored is there, and every transaction is whole or absent.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	rng := rand.New(rand.NewPCG(1, 2))
	said := 0
	for round := range 20 {
		p := start(t, "write", path)
		lines := rng.IntN(6)
		for range lines {
			if !p.out.Scan() {
				t.Fatal("the writer ended by itself")
			}
			n, err := strconv.Atoi(p.out.Text())
			if err != nil {
				t.Fatal(err)
			}
			said = n
		}
		// Without a line to wait for, it dies while it opens or creates.
		<-time.After(time.Duration(rng.IntN(30_000)) * time.Microsecond)
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for p.out.Scan() { // said before it died
			if n, err := strconv.Atoi(p.out.Text()); err == nil {
				said = n
			}
		}
		_ = p.Wait() // killed
		whole(t, path, said, round)
	}
	if said == 0 {
		t.Error("no transaction was ever stored")
	}
}

func whole(t *testing.T, path string, said, round int) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	n := int(revision(t, s))
	if n < said {
		t.Errorf("round %d: revision %d, but %d was reported as stored", round, n, said)
	}
	err = s.View(t.Context(), func(tx store.Tx) error {
		secrets, err := tx.Secrets(t.Context(), store.SecretFilter{})
		last, err2 := tx.LastAudit(t.Context())
		counts, err3 := tx.CountVerdicts(t.Context(), time.Unix(0, 0), store.FindingFilter{})
		got := fmt.Sprint(len(secrets), last.Sequence, counts[fingerprints.VerdictUnregistered], counts[fingerprints.VerdictCleared])
		if want := fmt.Sprint(n, n, min(n, 1)*batchSize, max(n-1, 0)*batchSize); got != want {
			t.Errorf("round %d: secrets, audit, present, gone are %s, want %s", round, got, want)
		}
		return errors.Join(err, err2, err3)
	})
	if err := errors.Join(err, s.Check(t.Context()), s.Close()); err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
}
