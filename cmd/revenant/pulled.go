package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"revenant/api/client"
)

const (
	// packFresh is for how long a pulled pack is used without asking for a newer one.
	packFresh = 15 * time.Minute
	// pullFirst is how long a hook waits for the first pack of a server, and pullAgain
	// what others wait for a newer one.
	pullFirst = 5 * time.Second
	pullAgain = 20 * time.Second
)

// placeName is a server as a file's name.
func placeName(where serverPlace) string {
	sum := sha256.Sum256([]byte(where.url))
	return hex.EncodeToString(sum[:8])
}

// pulledPack is where the edge pack of a server is kept.
func (a *app) pulledPack(where serverPlace) (string, error) {
	cache, err := a.userDir(a.env("XDG_CACHE_HOME"), ".cache")
	return filepath.Join(cache, "packs", placeName(where)+".pack"), err
}

// renewPulled brings the kept pack of a server up to date.
func (a *app) renewPulled(ctx context.Context, server *client.Client, where serverPlace) error {
	file, err := a.pulledPack(where)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keeping the server's pack: %w", bare(err))
	}
	if _, err := a.pulled(ctx, server, file); err != nil {
		return err
	}
	now := a.now()
	return os.Chtimes(file, now, now) // it was the newest then
}

// freshPulled is the kept pack, if it is there and how long ago it was the newest.
func (a *app) freshPulled(file string) (age time.Duration, there bool) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, false
	}
	return a.now().Sub(info.ModTime()), true
}

// openPulled looks with the edge pack of a server. A hook uses the one that is kept,
// and has it renewed behind itself; others ask first, and go on with the kept one
// where the server does not answer.
func (a *app) openPulled(ctx context.Context, e *eye, fl *scanFlags, where serverPlace) error {
	if fl.packKeys == "" && a.env("REVENANT_PACK_KEY") == "" {
		fl.packKeys = where.kept.PackKey
	}
	if fl.packKeys == "" && a.env("REVENANT_PACK_KEY") == "" {
		if fl.host != nil {
			fl.host.packMissing("no key opens the server's packs here; 'revenant login --pack-key FILE' names it")
			return nil
		}
		if fl.only == "generic" && fl.noStore {
			return nil
		}
	}
	file, err := a.pullFor(ctx, fl, where)
	if err != nil {
		if fl.host == nil {
			return err
		}
		fl.host.packMissing("the server's pack is not here and cannot be had: " + err.Error())
		return nil
	}
	fl.pack = file
	if err := a.openPackFile(e, fl); err != nil {
		return err
	}
	if err := a.openLookUp(ctx, e, fl, where); err != nil {
		fl.host.notAsked(err)
	}
	return nil
}

// pullFor is the kept pack of a server, as new as the scan can wait for.
func (a *app) pullFor(ctx context.Context, fl *scanFlags, where serverPlace) (string, error) {
	file, err := a.pulledPack(where)
	if err != nil {
		return "", err
	}
	age, there := a.freshPulled(file)
	_, hook := fl.host.(*hookScan)
	if there && (hook || age < packFresh && age >= 0) {
		return file, nil
	}
	wait := pullAgain
	if hook {
		wait = pullFirst
	}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	server, err := a.clientOf(ctx, where)
	if err == nil {
		err = a.renewPulled(bounded, server, where)
	}
	if err != nil && there {
		a.note(fmt.Sprintf("the server's newest pack cannot be had (%v): the one from %s is used", err, ago(age)))
		return file, nil
	}
	return file, err
}

// behind starts what a hook leaves to be done behind it: telling the server, and
// renewing its pack. Nobody waits for that, and nothing that it says is seen.
func (a *app) behind(where serverPlace) {
	file, err := a.pulledPack(where)
	if err != nil {
		return
	}
	age, there := a.freshPulled(file)
	box, err := a.openOutbox(where)
	if err != nil || there && age < packFresh && len(box.waiting()) == 0 {
		return
	}
	program, err := os.Executable()
	if err != nil {
		return
	}
	args := []string{"hook", "tell", "--quiet"}
	if a.remote.server != "" {
		args = append(args, "--server", a.remote.server)
	}
	if a.remote.token != "" {
		args = append(args, "--token", a.remote.token)
	}
	c := exec.Command(program, args...) //nolint:noctx // it outlives the hook
	c.Dir = filepath.Dir(program)
	detach(c)
	if c.Start() == nil {
		_ = c.Process.Release()
	}
}
