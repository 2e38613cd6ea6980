package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// redacted is the text form of every [Value].
const redacted = "[REDACTED]"

// A Value contains a secret and keeps it out of logs: every usual way to turn a
// value into text (fmt with any verb, log/slog, encoding/json, text encodings)
// gives [REDACTED]. Only [Value.Reveal] returns the secret, so a search for Reveal finds
// every place where a program reads one.
//
// A Value contains a pointer to the string. fmt prints unexported fields without a call of
// their methods, so a struct with a Value in such a field shows an address and not the
// secret. The zero Value is empty.
//
// A Value doesn't protect memory: a debugger or a core dump still shows the secret.
type Value struct{ p *string }

// NewValue returns a Value that contains s.
func NewValue(s string) Value { return Value{&s} }

// Reveal returns the secret.
func (v Value) Reveal() string {
	if v.p == nil {
		return ""
	}
	return *v.p
}

// IsZero reports whether the value is empty.
func (v Value) IsZero() bool { return v.Reveal() == "" }

// Equal reports whether both contain the same secret. The time that it takes doesn't
// depend on the place where they differ.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(w.Reveal())) == 1
}

// String implements [fmt.Stringer].
func (v Value) String() string { return redacted }

// GoString implements [fmt.GoStringer], for %#v.
func (v Value) GoString() string { return "secret.Value(" + redacted + ")" }

// Format implements [fmt.Formatter], so that no verb, %x and %q included,
// shows the secret.
func (v Value) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		_, _ = io.WriteString(f, v.GoString()) // fmt's buffer never fails
	case verb == 'q':
		_, _ = io.WriteString(f, strconv.Quote(redacted))
	default:
		_, _ = io.WriteString(f, redacted)
	}
}

// LogValue implements [slog.LogValuer].
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes "[REDACTED]".
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText writes [REDACTED], for XML, YAML and map keys.
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText sets the secret. A configuration file can so be decoded into a struct with
// Values, by encoding/json too.
func (v *Value) UnmarshalText(text []byte) error {
	*v = NewValue(string(text))
	return nil
}
