package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

// Config says how a cluster is reached. Brokers is required.
type Config struct {
	Brokers  []string // HOST:PORT of some brokers; the others are learnt from them
	ClientID string
	TLS      *tls.Config    // nil: connections are not encrypted
	SASL     sasl.Mechanism // nil: nobody logs in
	Timeout  time.Duration  // of one request and of connecting; 0: 10 s
}

const (
	defaultTimeout = 10 * time.Second
	metadataTTL    = time.Second
)

// cluster asks brokers for everything but records.
type cluster struct {
	cfg       Config
	client    *kafka.Client
	transport *kafka.Transport
}

// topology is what a cluster says of itself.
type topology struct {
	id      string
	brokers map[int]string            // addresses
	topics  map[string]map[int]leader // partitions
	denied  map[string]error          // topics that nothing is told of
	hidden  map[string]bool           // the cluster's own topics
}

// leader is where a partition is read; its id is negative where there is none now.
type leader struct{ broker int }

func newCluster(cfg Config) *cluster {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "revenant"
	}
	c := &cluster{cfg: cfg}
	c.transport = &kafka.Transport{
		ClientID: cfg.ClientID, TLS: cfg.TLS, SASL: cfg.SASL, DialTimeout: cfg.Timeout, MetadataTTL: metadataTTL,
	}
	c.client = &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: c.transport, Timeout: cfg.Timeout}
	return c
}

func (c *cluster) close() { c.transport.CloseIdleConnections() }

// dialer connects as Config says, for what kafka-go keeps connections for.
func (c *cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{ClientID: c.cfg.ClientID, Timeout: c.cfg.Timeout, TLS: c.cfg.TLS, SASLMechanism: c.cfg.SASL}
}

// topology asks for brokers, topics and leaders.
func (c *cluster) topology(ctx context.Context) (topology, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	m, err := c.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return topology{}, fmt.Errorf("asking for topics: %w", plain(err))
	}
	t := topology{
		id: m.ClusterID, brokers: map[int]string{}, topics: map[string]map[int]leader{},
		denied: map[string]error{}, hidden: map[string]bool{},
	}
	for _, b := range m.Brokers {
		t.brokers[b.ID] = net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
	}
	for _, topic := range m.Topics {
		if topic.Error != nil && len(topic.Partitions) == 0 {
			t.denied[topic.Name] = plain(topic.Error)
			continue
		}
		t.hidden[topic.Name] = topic.Internal
		parts := map[int]leader{}
		for _, p := range topic.Partitions {
			l := leader{p.Leader.ID}
			if _, has := t.brokers[p.Leader.ID]; !has || p.Leader.Host == "" {
				l.broker = -1
			}
			parts[p.ID] = l
		}
		t.topics[topic.Name] = parts
	}
	return t, nil
}

// bounds are the first offset that a partition keeps and the one that its next
// message gets.
type bounds struct{ first, end int64 }

// bounds asks for the bounds of a topic's partitions. Those that cannot be told
// are left out, with the reason.
func (c *cluster) bounds(ctx context.Context, topic string, parts []int) (map[int]bounds, error) {
	var asked []kafka.OffsetRequest
	for _, p := range parts {
		asked = append(asked, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	list, err := c.offsets(ctx, topic, asked)
	out := map[int]bounds{}
	for _, p := range list {
		if p.Error == nil && p.FirstOffset >= 0 && p.LastOffset >= 0 {
			out[p.Partition] = bounds{p.FirstOffset, p.LastOffset}
		} else if err == nil {
			err = plain(p.Error)
		}
	}
	if err == nil && len(out) < len(parts) {
		err = errAbsent
	}
	return out, err
}

// since asks for the first offsets of messages that are not older than a time;
// partitions without one are left out.
func (c *cluster) since(ctx context.Context, topic string, parts []int, at time.Time) (map[int]int64, error) {
	var asked []kafka.OffsetRequest
	for _, p := range parts {
		asked = append(asked, kafka.TimeOffsetOf(p, at))
	}
	list, err := c.offsets(ctx, topic, asked)
	out := map[int]int64{}
	for _, p := range list {
		if p.Error != nil && err == nil {
			err = plain(p.Error)
		}
		for offset := range p.Offsets {
			if offset >= 0 {
				out[p.Partition] = offset
			}
		}
	}
	return out, err
}

func (c *cluster) offsets(ctx context.Context, topic string, asked []kafka.OffsetRequest) ([]kafka.PartitionOffsets, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	res, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: asked}})
	if err != nil {
		return nil, fmt.Errorf("asking for offsets: %w", plain(err))
	}
	return res.Topics[topic], nil
}

// Errors that a person can do something about.
var (
	// ErrUnreachable: no broker answers.
	ErrUnreachable = errors.New("no broker can be reached")
	// ErrDenied: a broker lets nobody in with this login, or does not let it do this.
	ErrDenied = errors.New("the broker refuses")
	// errAbsent: a topic or partition is not there.
	errAbsent = errors.New("the topic or partition is not there")
	// errMoved: another broker has the partition now.
	errMoved = errors.New("another broker leads the partition")
	// errRange: the partition does not have the offset.
	errRange = errors.New("the offset is not kept")
)

// denials are errors of brokers that trying again does not help against at once.
func denials() []kafka.Error {
	return []kafka.Error{
		kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.SASLAuthenticationFailed,
		kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState,
	}
}

// plain is an error in words that repeat nothing of what was sent: what a broker
// answers to a login may hold parts of it.
func plain(err error) error {
	var code kafka.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &code):
		return plainCode(code)
	case certificateProblem(err) != nil:
		return certificateProblem(err)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return fmt.Errorf("%w: it did not answer in time", ErrUnreachable)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it closes the connection (is this a port with TLS, or without?)", ErrUnreachable)
	}
	return ErrUnreachable
}

// certificateProblem is what is wrong with a certificate, the broker's or ours; nil:
// nothing is known to be. It repeats nothing of a certificate.
func certificateProblem(err error) error {
	var (
		verification *tls.CertificateVerificationError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		remote       *net.OpError
	)
	switch {
	case errors.As(err, &hostname):
		return fmt.Errorf("%w: its certificate is for another name: name brokers as their certificates do", ErrUnreachable)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: its certificate is expired, or not valid yet", ErrUnreachable)
	case errors.As(err, &verification):
		return fmt.Errorf("%w: its certificate is not trusted: give the certificate of the authority that signed it", ErrUnreachable)
	case errors.As(err, &remote) && remote.Op == "remote error": // what crypto/tls makes of an alert
		return alertProblem(remote.Err.Error())
	}
	return nil
}

// alertProblem is what a broker that ends a handshake says of a client's certificate.
func alertProblem(alert string) error {
	switch {
	case strings.Contains(alert, "certificate required"), strings.Contains(alert, "bad certificate"):
		return fmt.Errorf("%w: it wants to be shown a certificate that it trusts", ErrDenied)
	case strings.Contains(alert, "certificate"):
		return fmt.Errorf("%w: it does not trust the certificate that it was shown, or that is expired", ErrDenied)
	}
	return fmt.Errorf("%w: no encrypted connection comes about", ErrUnreachable)
}

func plainCode(code kafka.Error) error {
	switch {
	case slices.Contains(denials(), code):
		return fmt.Errorf("%w: %s", ErrDenied, code.Title())
	case code == kafka.UnknownTopicOrPartition || code == kafka.UnknownTopicID:
		return errAbsent
	case code == kafka.NotLeaderForPartition || code == kafka.LeaderNotAvailable || code == kafka.FencedLeaderEpoch || code == kafka.ReplicaNotAvailable:
		return errMoved
	case code == kafka.OffsetOutOfRange:
		return errRange
	}
	return fmt.Errorf("the broker says: %s", code.Title())
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
