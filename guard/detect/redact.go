package detect

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Replace returns the text that replaces a value.
type Replace func(f Finding, value string) string

// Label replaces a value by its kind: [EMAIL].
func Label(f Finding, _ string) string { return "[" + f.Kind + "]" }

// Mask returns a Replace that turns all letters and digits but the last keep
// into asterisks and leaves separators alone, so that a person recognizes their
// own value: **** **** **** 1111. If less than half of a value would be hidden, the
// whole value is hidden.
func Mask(keep int) Replace {
	return func(_ Finding, value string) string {
		visible := 0
		for _, r := range value {
			if !isSeparator(r) {
				visible++
			}
		}
		hide := visible - max(0, keep)
		if hide*2 < visible {
			hide = visible
		}
		var b strings.Builder
		for _, r := range value {
			switch {
			case isSeparator(r):
				b.WriteRune(r)
			case hide > 0:
				b.WriteByte('*')
				hide--
			default:
				b.WriteRune(r)
			}
		}
		return b.String()
	}
}

func isSeparator(r rune) bool { return r < utf8.RuneSelf && !Word[byte(r)] }

// Hash returns a Replace that marks a value with the first 64 bits of its
// HMAC-SHA-256 under key: [EMAIL:9f2c41d07be35a86]. Equal values get equal
// marks. Keep the key secret: with it, values can be guessed and compared. An
// empty key is an error that wraps [ErrOption].
func Hash(key []byte) (Replace, error) {
	if len(key) == 0 {
		return nil, fmt.Errorf("%w: the key of Hash is empty: want a secret of 1 byte or more", ErrOption)
	}
	key = bytes.Clone(key)
	return func(f Finding, value string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(value))
		return "[" + f.Kind + ":" + hex.EncodeToString(mac.Sum(nil)[:8]) + "]"
	}, nil
}

// Redact returns text with every value replaced. A nil replace is [Label].
func (d *Detector) Redact(text string, replace Replace) string {
	if replace == nil {
		replace = Label
	}
	var b strings.Builder
	at := 0
	for f := range d.All(text) {
		b.WriteString(text[at:f.Start])
		b.WriteString(replace(f, f.Value(text)))
		at = f.End
	}
	if at == 0 {
		return text
	}
	b.WriteString(text[at:])
	return b.String()
}
