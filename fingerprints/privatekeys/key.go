package privatekeys

import "errors"

// Type is the kind of a private key, as it is written into the canonical form.
type Type string

// The types. Armoured is no key that can be read here: an encrypted
// container, or armoured text of another kind that is kept secret.
const (
	RSA      Type = "rsa"
	DSA      Type = "dsa"
	EC       Type = "ec"
	Ed25519  Type = "ed25519"
	Ed448    Type = "ed448"
	X25519   Type = "x25519"
	X448     Type = "x448"
	Armoured Type = "armoured"
)

// Container is the format that a key was found in.
type Container string

// The containers. PEM says how the body was written, not what is in it, so it
// is none of them.
const (
	PKCS1      Container = "pkcs1"
	PKCS8      Container = "pkcs8"
	SEC1       Container = "sec1"
	DSAKey     Container = "dsa"
	OpenSSH    Container = "openssh"
	PuTTY      Container = "ppk"
	JWK        Container = "jwk"
	XML        Container = "xml"
	ArmourText Container = "armour" // Type is Armoured
)

// The bounds of the package.
const (
	// MaxContainer is the longest stretch of text or bytes that one private
	// key is read from. Chunks that overlap by it show every key whole.
	MaxContainer = 64 << 10
	// MaxArmoured is the longest stretch of text of Type Armoured.
	MaxArmoured = 512 << 10
	// MaxBits is the largest modulus that is read.
	MaxBits = 16384
)

// The errors of Parse and ParseAll. None of them holds input.
var (
	// ErrNoKey: there is no private key and no other armoured secret.
	ErrNoKey = errors.New("no private key in the input")
	// ErrSeveral: there is more than one; each is a value of its own.
	ErrSeveral = errors.New("more than one private key in the input")
)

// Key is a private key read from a container. The caller owns the slices.
type Key struct {
	Type      Type
	Container Container
	// Canonical is what the key's value id and MAC are made of; the same
	// bytes whatever container the key came in (package comment). For
	// Armoured it is the decoded body.
	Canonical []byte
	// Public are byte strings of the public part as they stand in decoded
	// containers: the modulus; the coordinates X and Y of the point; the
	// public key of the Edwards and Montgomery curves; y and p of DSA. They
	// are computed when the container held none. Empty for Armoured and for
	// curves that are not known here.
	Public [][]byte
	// Private are byte strings of the private part as they stand in
	// containers that may come without any public part: the seed or the
	// scalar. At most one region may be anchored there. Empty for RSA, DSA
	// and Armoured.
	Private [][]byte
}

// Found is a private key, whole and consistent, in some bytes.
type Found struct {
	Start, End int // span of the container in the bytes searched
	Key        Key
}
