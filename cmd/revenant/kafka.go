package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/ingest/credential"
	"revenant/scanners/kafka"
)

// kafkaFlags say what of a cluster is read, and how.
type kafkaFlags struct {
	scanFlags
	topics   []string
	begin    string
	follow   bool
	group    string
	clientID string
	megabyte int64 // fetched and not yet looked at
	patience time.Duration
	results  string // topic
	kafkaLogin
}

// kafkaLogin says how brokers are talked to.
type kafkaLogin struct {
	tls      bool
	caFile   string
	certFile string
	keyFile  string
	sasl     string
	user     string
	password string
}

// The environment's variables for logins.
const (
	kafkaUser     = "REVENANT_KAFKA_USER"
	kafkaPassword = "REVENANT_KAFKA_PASSWORD"
)

func (a *app) kafkaCommand() *cobra.Command {
	var fl kafkaFlags
	c := &cobra.Command{
		Use: "kafka BROKER...", GroupID: "scan",
		Short: "Scan topics of a Kafka cluster: keys, values and headers",
		Long: `Reads the messages of topics (default: all but the cluster's own) through some
of the cluster's brokers, each HOST:PORT. Each topic is a source of its own.

With a registry, how far each partition was read is stored with what was found,
and the next run goes on there; a message that is read twice changes nothing.
Without --follow it ends with the messages that were there when it began; with
it, it goes on, takes up new topics and partitions, and waits for brokers that
are away. --group shares the partitions among all that name the same group.

What cannot be read is listed with its offsets and holds nothing up. A copy is
'retained' until the partition's first offset has passed it, then 'expired'. A
value that was registered later is looked for in what comes from then on:
--start earliest looks through everything that is kept once more.

--results names a topic that gets a record, revenant.event/v1, for each finding
that is new, changes or is cleared, from what is stored. It is not read itself
unless --topic has its name.

Kafka 2.1 and later. A user's name and password come from ` + kafkaUser + `
and ` + kafkaPassword + `, or from what --user and --password
refer to: env:NAME, file:PATH or command:LINE.

Exit codes: 0 no finding; 1 findings at or above --fail-on; 2 wrong usage; 3 not
everything could be read.`,
		Example: `  revenant kafka localhost:9092
  revenant kafka kafka-1:9092 kafka-2:9092 --topic 'app-*' --follow
  revenant kafka kafka-1:9093 --topic logs --tls --follow --group scan`,
		Args: argCount(1, 100, "at least one BROKER, as HOST:PORT"),
		RunE: func(c *cobra.Command, args []string) error { return a.runKafka(c.Context(), &fl, args) },
	}
	fl.scanFlags.register(c)
	f := c.Flags()
	f.StringArrayVar(&fl.topics, "topic", nil, "topics that this glob matches (repeat; default: all but the cluster's own)")
	f.StringVar(&fl.begin, "start", "", "earliest, latest, or a time (a date, a moment, or how long ago, as 36h or 30d): begin there, whatever was read before (default: where reading stopped, else earliest)")
	f.BoolVar(&fl.follow, "follow", false, "go on with what comes, until it is stopped")
	f.StringVar(&fl.group, "group", "", "consumer group that shares the partitions")
	f.StringVar(&fl.clientID, "client-id", "revenant", "what brokers know this process by")
	f.Int64Var(&fl.megabyte, "buffer", 64, "how many MB may be fetched and not yet looked at")
	f.StringVar(&fl.results, "results", "", "topic of the same cluster that gets a record for each event of a finding, as of one that is new")
	f.DurationVar(&fl.patience, "wait", time.Minute, "without --follow, how long to wait for brokers and partitions that are away")
	fl.kafkaLogin.register(c)
	return c
}

func (fl *kafkaLogin) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&fl.tls, "tls", false, "encrypt connections")
	f.StringVar(&fl.caFile, "ca-file", "", "PEM file of the authorities that vouch for brokers, in place of the system's")
	f.StringVar(&fl.certFile, "cert-file", "", "PEM file of a certificate to show to brokers (mutual TLS)")
	f.StringVar(&fl.keyFile, "key-file", "", "PEM file of its key")
	f.StringVar(&fl.sasl, "sasl", "", "log in by "+join(kafka.Mechanisms()))
	f.StringVar(&fl.user, "user", "", "user's name, or a reference to it (default: $"+kafkaUser+")")
	f.StringVar(&fl.password, "password", "", "reference to the password: env:NAME, file:PATH or command:LINE (default: $"+kafkaPassword+")")
}

// config checks what was asked for and fetches the credentials.
func (fl *kafkaFlags) config(ctx context.Context, a *app, brokers []string) (kafka.Config, error) {
	c := kafka.Config{ClientID: fl.clientID}
	for _, list := range brokers {
		for at := range strings.SplitSeq(list, ",") {
			if host, port, err := net.SplitHostPort(at); err != nil || host == "" || port == "" {
				return c, usagef("BROKER is HOST:PORT, as in kafka-1.example.org:9092")
			}
			c.Brokers = append(c.Brokers, at)
		}
	}
	var err error
	if c.TLS, err = fl.encryption(); err != nil {
		return c, err
	}
	c.SASL, err = fl.mechanism(ctx, a)
	return c, err
}

func (fl *kafkaLogin) encryption() (*tls.Config, error) {
	if !fl.tls {
		if fl.caFile != "" || fl.certFile != "" || fl.keyFile != "" {
			return nil, usagef("certificates are for encrypted connections: add --tls")
		}
		return nil, nil
	}
	if (fl.certFile == "") != (fl.keyFile == "") {
		return nil, usagef("--cert-file and --key-file belong together: give both")
	}
	var text [3][]byte
	for i, f := range [3]struct{ flag, name string }{{"--ca-file", fl.caFile}, {"--cert-file", fl.certFile}, {"--key-file", fl.keyFile}} {
		if f.name == "" {
			continue
		}
		var err error
		if text[i], err = os.ReadFile(f.name); err != nil {
			return nil, fileError(f.flag, err)
		}
		if len(text[i]) == 0 {
			return nil, usagef("%s: it is empty", f.flag)
		}
	}
	c, err := kafka.Encryption(text[0], text[1], text[2])
	switch {
	case errors.Is(err, kafka.ErrAuthorities):
		return nil, usagef("--ca-file: %w", err)
	case err != nil:
		return nil, usagef("--cert-file and --key-file: %w", err)
	}
	return c, nil
}

func (fl *kafkaLogin) mechanism(ctx context.Context, a *app) (sasl.Mechanism, error) {
	if fl.sasl == "" {
		if fl.user != "" || fl.password != "" {
			return nil, usagef("--user and --password are for a login: say which with --sasl %s", join(kafka.Mechanisms()))
		}
		return nil, nil
	}
	if !slices.Contains(kafka.Mechanisms(), fl.sasl) {
		return nil, usagef("--sasl is %s", join(kafka.Mechanisms()))
	}
	user, err := a.kafkaCredential(ctx, "--user", fl.user, kafkaUser)
	if err != nil {
		return nil, err
	}
	password, err := a.kafkaCredential(ctx, "--password", fl.password, kafkaPassword)
	if err != nil {
		return nil, err
	}
	m, err := kafka.Mechanism(fl.sasl, string(user.Reveal()), string(password.Reveal()))
	if err != nil {
		return nil, usagef("--sasl %s: %w", fl.sasl, err)
	}
	return m, nil
}

// kafkaCredential fetches what a flag refers to, or what the environment has. A
// password is never a flag's own text: others see the arguments of a process.
func (a *app) kafkaCredential(ctx context.Context, flag, text, variable string) (fingerprints.Value, error) {
	if text == "" {
		text = "env:" + variable
	}
	ref, err := credential.Parse(text)
	switch {
	case err != nil && flag == "--user":
		return fingerprints.NewValue([]byte(text)), nil
	case err != nil:
		return fingerprints.Value{}, usagef("%s: %w", flag, err)
	}
	v, err := a.credentials().Resolve(ctx, ref)
	if err != nil {
		return v, usagef("%s: %w", flag, err)
	}
	return v, nil
}

// start reads --start.
func (fl *kafkaFlags) start(now time.Time) (kafka.Start, error) {
	switch fl.begin {
	case "":
		return kafka.Start{}, nil
	case "earliest":
		return kafka.Start{Anew: true}, nil
	case "latest":
		return kafka.Start{From: kafka.FromLatest, Anew: true}, nil
	}
	at, err := sinceOf(fl.begin, now)
	if err != nil || at.IsZero() {
		return kafka.Start{}, usagef("--start is earliest, latest, a date as 2026-05-06, a moment as 2026-05-06T07:08:09Z, or how long ago as 36h or 30d")
	}
	return kafka.Start{From: kafka.FromTime, At: at, Anew: true}, nil
}

// check refuses what does not go together.
func (fl *kafkaFlags) check() error {
	switch {
	case fl.source != "":
		return usagef("--source names one place, and each topic is a source of its own, by the cluster's id: leave it out")
	case fl.group != "" && (fl.noStore || fl.pack != ""):
		return usagef("a group commits what is stored, and with %s nothing is: leave one of them out", map[bool]string{true: "--no-store", false: "--pack"}[fl.noStore])
	case fl.results != "" && (fl.noStore || fl.pack != ""):
		return usagef("--results tells of what is stored, and with %s nothing is: leave one of them out", map[bool]string{true: "--no-store", false: "--pack"}[fl.noStore])
	case fl.results != "" && !kafka.IsTopic(fl.results):
		return usagef("--results is the name of a topic")
	case fl.group != "" && fl.begin != "":
		return usagef("--start would move what the other members of the group read: leave one of them out")
	case fl.megabyte < 1 || fl.megabyte > 16<<10:
		return usagef("--buffer is a number of MB from 1 to 16384")
	case fl.resume:
		return usagef("a scan of topics always goes on where it stopped")
	}
	return nil
}

// kafkaError says which of what was typed is wrong.
func kafkaError(err error) error {
	switch {
	case errors.Is(err, kafka.ErrNoTopic):
		return usagef("--topic: %w", err)
	case errors.Is(err, kafka.ErrUnreachable), errors.Is(err, kafka.ErrDenied):
		return err
	}
	return usagef("BROKER: %w", err)
}
