// Package docmeta names the metadata keys that chunkers, stores, retrievers
// and guards agree on, and reads them tolerantly.
//
// The keys live in [github.com/tmc/langchaingo/schema.Document.Metadata].
// Most document stores round-trip metadata through JSON, so a number written
// as an int comes back as an int64, a float64 or a json.Number; [Int] accepts
// them all.
package docmeta

import (
	"encoding/json"
	"math"
	"strconv"
)

// The metadata keys. The values of ID, Source, Heading, Parent, Tenant and Trust
// are strings, that of Groups is a list of strings; those of Start and End are byte offsets into the source's text, End
// exclusive.
const (
	ID      = "id"      // stable content id of the chunk
	Source  = "source"  // where the text came from: a path or URL
	Start   = "start"   // byte offset of the chunk's first byte
	End     = "end"     // byte offset after the chunk's last byte
	Heading = "heading" // the heading path above the chunk, outermost first
	Parent  = "parent"  // id of the larger passage the chunk was cut from
	Tenant  = "tenant"  // owner of the document; a retriever never crosses it
	Groups  = "groups"  // list of strings: who among the tenant's users may find it
	Trust   = "trust"   // how far the text may be trusted, see TrustUntrusted
)

// TrustUntrusted and TrustTrusted are the values of the [Trust] key. A document
// without the key is untrusted.
const (
	TrustUntrusted = "untrusted"
	TrustTrusted   = "trusted"
)

// String returns the string under key and whether there is one.
func String(meta map[string]any, key string) (string, bool) {
	s, ok := meta[key].(string)
	return s, ok
}

// Int returns the whole number under key and whether there is one. It accepts
// every signed integer type that int can represent, float64 and float32 with a whole
// value, and json.Number in either notation; a fraction, NaN, an infinity or a
// value outside int's range is not accepted.
func Int(meta map[string]any, key string) (int, bool) {
	switch v := meta[key].(type) {
	case int:
		return v, true
	case int64:
		return int(v), int64(int(v)) == v
	case int32:
		return int(v), true
	case float64:
		return wholeInt(v)
	case float32:
		return wholeInt(float64(v))
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n, true
		}
		f, err := v.Float64()
		if err != nil {
			return 0, false
		}
		return wholeInt(f)
	}
	return 0, false
}

// wholeInt converts f if it is whole and within the range where float64 holds
// every integer exactly.
func wholeInt(f float64) (int, bool) {
	const exact = 1 << 53
	if f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, false
	}
	n := int(f)
	return n, float64(n) == f
}

// Span returns the byte offsets [start, end) of a chunk in its source, and
// whether both are present and in order.
func Span(meta map[string]any) (start, end int, ok bool) {
	start, okStart := Int(meta, Start)
	end, okEnd := Int(meta, End)
	if !okStart || !okEnd || start < 0 || end < start {
		return 0, 0, false
	}
	return start, end, true
}

// IsTrusted reports whether the metadata marks its document as trusted. Only
// the exact value [TrustTrusted] does.
func IsTrusted(meta map[string]any) bool {
	s, _ := String(meta, Trust)
	return s == TrustTrusted
}
