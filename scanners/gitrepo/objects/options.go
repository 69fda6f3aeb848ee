package objects

// Limits bound what one object may cost.
type Limits struct {
	// Whole is how large an object may be that is held in memory. Larger ones
	// are streamed, and one that is a delta is left to the fallback. A walk
	// holds a few of them at a time.
	Whole int64
	// Cache is how many bytes of bases are kept between two calls of Get.
	Cache int64
	// Retries is how many entries a walk reads again, in all, to find another
	// copy of what is damaged.
	Retries int64
	// Fallbacks is how many objects a walk asks the fallback for.
	Fallbacks int64
}

// DefaultLimits are the bounds of every scan.
func DefaultLimits() Limits {
	return Limits{Whole: 64 << 20, Cache: 32 << 20, Retries: 1_000_000, Fallbacks: 10_000}
}

// Verify says how objects are checked.
type Verify uint8

const (
	// VerifyPacked takes the checksums of the packed bytes where a sound index
	// has them, which costs next to nothing, and the id itself for everything
	// else: loose objects, old indexes, what the fallback read. It finds what
	// broke after it was written. Git made sure of the ids when it wrote.
	VerifyPacked Verify = iota
	// VerifyIDs hashes every object. It also finds a pack and an index that
	// were made to lie.
	VerifyIDs
)

// Options change how a store is read. The zero value is how a scan does.
type Options struct {
	Limits   Limits // zero: DefaultLimits
	Access   Access
	Verify   Verify
	Fallback Fallback // nil: none
}
