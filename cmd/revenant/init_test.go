package main

import (
	"strings"
	"testing"
)

func TestInitWithBackup(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pass := b.write("pass.txt", "only a test\n")
	backup := b.out("ring.age")
	if r := b.must(2, "", "init", "--backup-file", backup); !strings.Contains(r.stderr, "--passphrase-file") {
		t.Errorf("without a passphrase: %s", r.stderr)
	}
	b.must(3, "", "status") // nothing was made
	if r := b.must(0, "", "init", "--backup-file", backup, "--passphrase-file", pass); !strings.Contains(r.stdout, backup) {
		t.Errorf("the backup is not named: %s", r.stdout)
	}
	b.must(0, "", "key", "verify", "--backup", backup, "--passphrase-file", pass)
}
