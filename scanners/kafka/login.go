package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	saslplain "github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Mechanisms are the ways to log in.
func Mechanisms() []string { return []string{"plain", "scram-sha-256", "scram-sha-512"} }

// Errors of what opens connections. They repeat nothing of it.
var (
	ErrAuthorities = errors.New("there is no certificate in it")
	ErrPair        = errors.New("they are not a certificate and its key, both in PEM")
	ErrLogin       = errors.New("the user's name or the password holds characters that the way to log in does not take")
)

// Mechanism is one of Mechanisms with a user; any other name is refused as ErrLogin is.
func Mechanism(name, user, password string) (sasl.Mechanism, error) {
	algorithm := scram.SHA256
	switch name {
	case "plain":
		return saslplain.Mechanism{Username: user, Password: password}, nil
	case "scram-sha-256":
	case "scram-sha-512":
		algorithm = scram.SHA512
	default:
		return nil, ErrLogin
	}
	m, err := scram.Mechanism(algorithm, user, password)
	if err != nil { // its text repeats what was given
		return nil, ErrLogin
	}
	return m, nil
}

// Encryption is TLS 1.2 and later. What is empty of authorities is the system's; a
// certificate and its key are shown to brokers where they are given. All are PEM.
func Encryption(authorities, certificate, key []byte) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(authorities) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, ErrAuthorities
		}
	}
	if len(certificate) == 0 && len(key) == 0 {
		return c, nil
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil { // its text may repeat what is in them
		return nil, ErrPair
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// ClusterID asks brokers which cluster they are of.
func ClusterID(ctx context.Context, cfg Config) (string, error) {
	c := newCluster(cfg)
	defer c.close()
	t, err := c.topology(ctx)
	return t.id, err
}

// CheckTopic returns ErrNoTopic where a cluster has no such topic, or shows none to this
// login.
func CheckTopic(ctx context.Context, cfg Config, topic string) error {
	c := newCluster(cfg)
	defer c.close()
	t, err := c.topology(ctx)
	if err != nil {
		return err
	}
	if _, has := t.topics[topic]; !has {
		return ErrNoTopic
	}
	return nil
}

// IsTopic reports whether a topic may be called so.
func IsTopic(name string) bool {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
	}
	return len(name) > 0 && len(name) < 250 && name != "." && name != ".." && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0
}

// Words is an error of a broker, or of a connection to it, in words that repeat nothing
// of what was sent.
func Words(err error) error { return plain(err) }
