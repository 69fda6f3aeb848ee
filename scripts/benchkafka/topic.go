package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"revenant/scanners/scannerstest"
)

// brokerVersion is the one that tests run, too.
const brokerVersion = "4.4.0"

// startBroker runs a broker on loopback until end is called.
func startBroker(ctx context.Context, work string) (addr string, end func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, "scripts/kafka/broker.sh", "run", brokerVersion, filepath.Join(work, "broker"), port)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "KAFKA_PARENT="+strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("starting a broker: %w", err)
	}
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	client := &kafka.Client{Addr: kafka.TCP(addr), Timeout: 5 * time.Second}
	for range 240 {
		if _, err = client.Metadata(ctx, &kafka.MetadataRequest{}); err == nil {
			return addr, end, nil
		}
		time.Sleep(250 * time.Millisecond)
	}
	end()
	return "", nil, fmt.Errorf("waiting for the broker: %w", err)
}

func codecOf(name string) kafka.Compression {
	switch name {
	case "lz4":
		return kafka.Lz4
	case "zstd":
		return kafka.Zstd
	}
	return 0
}

// batchOf is how many messages are written at once, as a producer with a linger does.
const batchOf = 500

// fill makes a topic, named after its codec, and writes its messages.
func fill(ctx context.Context, addr, codec string, o options) error {
	c := &kafka.Client{Addr: kafka.TCP(addr), Timeout: 30 * time.Second, Transport: &kafka.Transport{MetadataTTL: time.Second}}
	made, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: codec, NumPartitions: o.parts, ReplicationFactor: 1}}})
	if err == nil {
		err = made.Errors[codec]
	}
	if err != nil {
		return err
	}
	texts := scannerstest.Messages(1, min(o.messages, 50_000), o.size)
	for from := 0; from < o.messages; from += batchOf {
		var list []kafka.Record
		for i := from; i < min(from+batchOf, o.messages); i++ {
			text := texts[i%len(texts)]
			if i%o.plantEach == 17 {
				v := planted()
				text = append(append(append([]byte{}, text[:100]...), v...), text[100+len(v):]...)
			}
			list = append(list, kafka.Record{Time: time.Now(), Value: kafka.NewBytes(text)})
		}
		if err := produce(ctx, c, codec, from/batchOf%o.parts, list); err != nil {
			return err
		}
	}
	return nil
}

// produce writes records, again where the topic has no leader yet. A record is read
// once, so what is written again is made again.
func produce(ctx context.Context, c *kafka.Client, topic string, part int, list []kafka.Record) error {
	var texts [][]byte
	for _, r := range list {
		b, err := kafka.ReadAll(r.Value)
		if err != nil {
			return err
		}
		texts = append(texts, b)
	}
	for tries := 0; ; tries++ {
		for i := range list {
			list[i].Value = kafka.NewBytes(texts[i])
		}
		res, err := c.Produce(ctx, &kafka.ProduceRequest{
			Topic: topic, Partition: part, RequiredAcks: kafka.RequireOne, Compression: codecOf(topic), Records: kafka.NewRecordReader(list...),
		})
		if err == nil {
			err = res.Error
		}
		if err == nil || tries == 100 || errors.Is(err, context.Canceled) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
