package kafka

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"

	"revenant/scanners/kafka/records"
)

// link is a connection to one broker that records are fetched over. kafka-go
// connects, logs in and writes requests; the answer is read here, because its
// readers neither tell how far a batch without records goes nor bound what a batch
// unpacks to, and leave out in silence what they cannot read (decision 37).
type link struct {
	raw      net.Conn
	conn     *kafka.Conn
	in       *bufio.Reader
	clientID string
	timeout  time.Duration
	last     int32 // number of the last request
}

// The version of fetch requests: the oldest that brokers give zstd out in, which
// is Kafka 2.1.
const fetchVersion = 10

// mostAnswer is how long an answer may be: a broker gives out at least one batch,
// however long it is.
const mostAnswer = records.Limit + 64<<20

// dial connects to a broker.
func (c *cluster) dial(ctx context.Context, addr string) (*link, error) {
	l := &link{clientID: c.cfg.ClientID, timeout: c.cfg.Timeout}
	d := &kafka.Dialer{ClientID: c.cfg.ClientID, Timeout: c.cfg.Timeout, SASLMechanism: c.cfg.SASL}
	d.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil || c.cfg.TLS == nil {
			l.raw = raw
			return raw, err
		}
		cfg := c.cfg.TLS.Clone()
		if cfg.ServerName == "" {
			if cfg.ServerName, _, err = net.SplitHostPort(addr); err != nil {
				return nil, errors.Join(err, raw.Close())
			}
		}
		secure := tls.Client(raw, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		l.raw = secure
		return secure, nil
	}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connecting to a broker: %w", plain(err))
	}
	l.conn, l.in = conn, bufio.NewReaderSize(l.raw, 64<<10)
	return l, nil
}

func (l *link) close() { _ = l.conn.Close() }

// wish is what is fetched of one partition.
type wish struct {
	topic  string
	part   int
	offset int64
}

// answer is what a broker has of one partition.
type answer struct {
	wish
	err        error
	end, first int64 // offsets of the partition
	set        []byte
}

// fetch asks for records of some partitions, the first ones first, and waits for
// as long as wait where there are none. What is answered is read into m.
func (l *link) fetch(ctx context.Context, wishes []wish, most int, wait time.Duration, m *memory) ([]answer, error) {
	if err := l.raw.SetDeadline(time.Now().Add(wait + l.timeout)); err != nil {
		return nil, plain(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	l.last++
	if err := protocol.WriteRequest(l.raw, fetchVersion, l.last, l.clientID, request(wishes, most, wait)); err != nil {
		return nil, fmt.Errorf("fetching: %w", plain(err))
	}
	body, err := l.answer(m)
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", plain(err))
	}
	out, err := parseFetch(body)
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	offsets := map[wish]int64{}
	for _, w := range wishes {
		offsets[wish{topic: w.topic, part: w.part}] = w.offset
	}
	known := out[:0]
	for _, a := range out {
		if offset, asked := offsets[wish{topic: a.topic, part: a.part}]; asked {
			a.offset = offset
			known = append(known, a)
		}
	}
	return known, nil
}

func request(wishes []wish, most int, wait time.Duration) *fetch.Request {
	r := &fetch.Request{ReplicaID: -1, MaxWaitTime: int32(wait.Milliseconds()), MinBytes: 1, MaxBytes: int32(most), SessionEpoch: -1}
	at := map[string]int{}
	for _, w := range wishes {
		i, has := at[w.topic]
		if !has {
			i = len(r.Topics)
			at[w.topic] = i
			r.Topics = append(r.Topics, fetch.RequestTopic{Topic: w.topic})
		}
		r.Topics[i].Partitions = append(r.Topics[i].Partitions, fetch.RequestPartition{
			Partition: int32(w.part), CurrentLeaderEpoch: -1, FetchOffset: w.offset, LogStartOffset: -1, PartitionMaxBytes: int32(most),
		})
	}
	return r
}

// answer reads one answer, without its length and number.
func (l *link) answer(m *memory) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:])) - 4
	if size < 0 || size > mostAnswer || binary.BigEndian.Uint32(head[4:]) != uint32(l.last) {
		return nil, io.ErrUnexpectedEOF
	}
	body := m.Take(int(size))[:size:size]
	m.Keep(body)
	_, err := io.ReadFull(l.in, body)
	return body, err
}

// errAnswer: a broker's answer does not follow the protocol.
var errAnswer = errors.New("the broker's answer cannot be read")

// parseFetch reads the answer to a fetch request of fetchVersion. Sets of records
// point into it.
func parseFetch(body []byte) ([]answer, error) {
	r := &reading{rest: body}
	r.skip(4) // for how long the broker slowed the request down
	if code := r.i16(); code != 0 {
		return nil, plainCode(kafka.Error(code))
	}
	r.skip(4) // session
	var out []answer
	for range r.count(6) {
		topic := string(r.take(int(r.i16())))
		for range r.count(38) {
			a := answer{wish: wish{topic: topic, part: int(r.i32())}}
			if code := r.i16(); code != 0 {
				a.err = plainCode(kafka.Error(code))
			}
			a.end = r.i64()
			r.skip(8) // the last stable offset
			a.first = r.i64()
			if n := r.i32(); n > 0 { // transactions that were given up
				r.skip(16 * int(n))
			}
			if n := r.i32(); n > 0 {
				a.set = r.take(int(n))
			}
			out = append(out, a)
		}
	}
	if r.bad || len(r.rest) > 0 {
		return nil, errAnswer
	}
	return out, nil
}

// reading takes numbers off an answer; after the first that is not there it is bad.
type reading struct {
	rest []byte
	bad  bool
}

func (r *reading) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reading) skip(n int) { r.take(n) }

func (r *reading) i16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reading) i32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reading) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// count is the length of a list whose entries have at least so many bytes.
func (r *reading) count(least int) int {
	n := int(r.i32())
	if n < 0 || n > len(r.rest)/least {
		r.bad = r.bad || n > 0
		return 0
	}
	return n
}
