// Command benchkafka measures how fast messages of a topic are scanned, beside a bare
// loop of kafka-go over the same topic and beside our own fetch without a scan: whole
// processes, in turn, medians, against a real broker on the same machine.
//
// The messages are lines of logs, all of a size; one in some thousand holds a
// registered value. Nothing that it makes is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"revenant/scripts/benchkit"
)

type options struct {
	bin, work, doc       string
	messages, size, runs int
	versions, parts      int
	plantEach            int
	only                 string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "build/bin", "folder of revenant")
	flag.StringVar(&o.work, "work", "build/bench-kafka", "folder for what is made; removed before and after")
	flag.StringVar(&o.doc, "doc", "docs/speed.md", "write the table between the marks of this file; empty: print only")
	flag.IntVar(&o.messages, "messages", 500_000, "messages of each topic")
	flag.IntVar(&o.size, "size", 300, "bytes of each")
	flag.IntVar(&o.parts, "partitions", 4, "of each topic")
	flag.IntVar(&o.runs, "runs", 3, "runs of each")
	flag.IntVar(&o.versions, "versions", 10_000, "registered versions")
	flag.IntVar(&o.plantEach, "plant-each", 2000, "one message in so many holds a registered value")
	flag.StringVar(&o.only, "codec", "", "one codec alone: none, lz4 or zstd")
	read := flag.String("read", "", "what this program starts itself with: kafka-go or fetch, with a broker and a topic")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := error(nil)
	if *read != "" {
		err = bare(ctx, *read, flag.Arg(0), flag.Arg(1), o)
	} else {
		err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchkafka:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	for _, dir := range []*string{&o.bin, &o.work} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
	}
	if o.runs < 1 || o.messages < o.parts || o.parts < 1 || o.size < 64 || filepath.Base(o.work) == string(filepath.Separator) {
		return errors.New("at least one run, a message for each partition, 64 bytes a message, and a folder of its own")
	}
	if err := errors.Join(os.RemoveAll(o.work), os.MkdirAll(o.work, 0o755)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	b := &bench{o: o, env: append(os.Environ(), "REVENANT_HOME="+filepath.Join(o.work, "home"))}
	if err := benchkit.Register(b.revenant(), b.env, o.versions, planted()); err != nil {
		return err
	}
	addr, end, err := startBroker(ctx, o.work)
	if err != nil {
		return err
	}
	defer end()
	b.addr = addr
	var rows []row
	for _, codec := range []string{"none", "lz4", "zstd"} {
		if o.only != "" && o.only != codec {
			continue
		}
		if err := fill(ctx, addr, codec, o); err != nil {
			return fmt.Errorf("filling a topic: %w", err)
		}
		list, err := b.measure(ctx, codec)
		if err != nil {
			return fmt.Errorf("%s: %w", codec, err)
		}
		rows = append(rows, list...)
	}
	text := table(o, rows)
	fmt.Print(text)
	if o.doc == "" {
		return nil
	}
	return benchkit.ReplaceBetween(o.doc, beginMark, endMark, text)
}

type bench struct {
	o    options
	env  []string
	addr string
}

func (b *bench) revenant() string { return filepath.Join(b.o.bin, "revenant") }

// row is what the runs of a way to read a topic come to.
type row struct {
	codec, what string
	procs       int
	took        []benchkit.Sample
}

// measure reads a topic in every way, in turn.
func (b *bench) measure(ctx context.Context, topic string) ([]row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	scan := []string{b.revenant(), "kafka", b.addr, "--topic", topic, "-q", "-f", "json", "-r", os.DevNull, "--exit-code", "0"}
	size := []string{"-messages", strconv.Itoa(b.o.messages), "-partitions", strconv.Itoa(b.o.parts)}
	ways := []struct {
		row
		args []string
	}{
		{row{topic, "kafka-go, bare", 1, nil}, slices.Concat([]string{self, "-read", "kafka-go"}, size, []string{b.addr, topic})},
		{row{topic, "our fetch, bare", 1, nil}, slices.Concat([]string{self, "-read", "fetch"}, size, []string{b.addr, topic})},
		{row{topic, "revenant", 1, nil}, slices.Concat(scan, []string{"--start", "earliest"})},
		{row{topic, "revenant", 2, nil}, slices.Concat(scan, []string{"--start", "earliest"})},
	}
	for range b.o.runs {
		for i := range ways {
			w := &ways[i]
			cmd := b.command(ctx, w.procs, w.args)
			took, err := benchkit.Run(cmd)
			if err != nil {
				return nil, err
			}
			w.took = append(w.took, took)
		}
	}
	var rows []row
	for _, w := range ways {
		rows = append(rows, w.row)
	}
	for n := 1; n <= 2; n++ {
		r := row{topic, fmt.Sprintf("a group of %d", n), 1, nil}
		for run := range b.o.runs {
			took, err := b.group(ctx, n, append(slices.Clone(scan), "--group", fmt.Sprintf("%s-%d-%d", topic, n, run)))
			if err != nil {
				return nil, err
			}
			r.took = append(r.took, took)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (b *bench) command(ctx context.Context, procs int, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(slices.Clone(b.env), fmt.Sprintf("GOMAXPROCS=%d", procs))
	return cmd
}

// group is what n members of a group take together, each with one core, until the last
// of them is done. Nothing was read for them before: each has a registry that is new.
func (b *bench) group(ctx context.Context, n int, args []string) (all benchkit.Sample, err error) {
	home := filepath.Join(b.o.work, "group")
	env := append(os.Environ(), "REVENANT_HOME="+home)
	if err := benchkit.Register(b.revenant(), env, b.o.versions, planted()); err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	var mu sync.Mutex
	var wait sync.WaitGroup
	began := time.Now()
	for range n {
		cmd := b.command(ctx, 1, args)
		cmd.Env = append(cmd.Env, "REVENANT_HOME="+home)
		wait.Go(func() {
			took, bad := benchkit.Run(cmd)
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, bad)
			all.CPU += took.CPU
			all.Peak = max(all.Peak, took.Peak)
		})
	}
	wait.Wait()
	all.Wall = time.Since(began)
	return all, err
}

// planted is the registered value that some messages hold.
func planted() string { return strings.Repeat("Xq7", 3) + "vT2mZk9LwB4nRd8s" + "HfJ3yG6" }

// The table of the document stands between these lines.
const (
	beginMark = "<!-- kafka: begin, written by make bench-kafka -->\n"
	endMark   = "<!-- kafka: end -->\n"
)
