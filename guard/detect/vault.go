package detect

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// A Vault replaces values by tokens and tokens by values. The model reads
// [EMAIL_1_k3xz], and the user reads the address. Equal values get equal tokens. It is safe for concurrent use.
//
// The last part of a token is the vault's nonce. Without it, a text that mentions
// "[EMAIL_1]" by itself, or a token of another conversation, would be restored. Give
// each conversation a vault of its own, and restore only what is shown to the person
// who wrote the values.
//
// The zero value is an empty vault, ready to use. Make one with [NewVault] to
// choose where its nonce comes from. A vault must not be copied after first use.
type Vault struct {
	first sync.Once // makes all but mu
	nonce string

	mu     sync.RWMutex
	tokens map[string]string // kind and value -> token
	values map[string]string // token -> value
	counts map[string]int

	restore *Detector
}

// VaultOptions configure a [Vault]. The zero value works.
type VaultOptions struct {
	// Random gives the nonce. Default: [rand.Reader] of crypto/rand.
	Random io.Reader
}

// NewVault returns an empty vault. It fails if no nonce can be read.
func NewVault(o *VaultOptions) (*Vault, error) {
	random := rand.Reader
	if o != nil && o.Random != nil {
		random = o.Random
	}
	var b [5]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, fmt.Errorf("detect: reading a nonce: %w", err)
	}
	v := &Vault{}
	v.first.Do(func() { v.init(b) })
	return v, nil
}

// ready makes a zero vault an empty one.
func (v *Vault) ready() {
	v.first.Do(func() {
		var b [5]byte
		rand.Read(b[:]) // never fails
		v.init(b)
	})
}

// init makes the nonce of random bytes.
func (v *Vault) init(random [5]byte) {
	v.nonce = strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))[:4]
	v.tokens, v.values, v.counts = map[string]string{}, map[string]string{}, map[string]int{}
	v.restore, _ = New(Rule{Kind: "token", Starts: "[", Inside: true, Max: maxToken, Match: v.matchToken}) // a valid rule gives no error
}

// maxToken bounds a token: kind, number, nonce.
const maxToken = 96

// Tokenize is a Replace: it returns the value's token, a new one if the vault
// has none yet.
func (v *Vault) Tokenize(f Finding, value string) string {
	v.ready()
	v.mu.Lock()
	defer v.mu.Unlock()
	key := f.Kind + "\x00" + value
	if t, ok := v.tokens[key]; ok {
		return t
	}
	v.counts[f.Kind]++
	t := "[" + f.Kind + "_" + strconv.Itoa(v.counts[f.Kind]) + "_" + v.nonce + "]"
	v.tokens[key], v.values[t] = t, value
	return t
}

// Restore returns text with the vault's tokens replaced by their values.
func (v *Vault) Restore(text string) string {
	v.ready()
	return v.restore.Redact(text, v.value)
}

// Stream returns a stream that restores tokens in an answer that comes in
// chunks.
func (v *Vault) Stream() *Stream {
	v.ready()
	return v.restore.Stream(v.value)
}

// Len returns the number of values in the vault.
func (v *Vault) Len() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.values)
}

func (v *Vault) value(_ Finding, token string) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.values[token]
}

var tokenBody = NewClass("A-Za-z0-9_-")

func (v *Vault) matchToken(text string, at int, atEOF bool) int {
	end := tokenBody.Run(text, at+1, maxToken)
	if end == len(text) && !atEOF {
		return NeedMore
	}
	if end == len(text) || text[end] != ']' {
		return 0
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if _, ok := v.values[text[at:end+1]]; !ok {
		return 0
	}
	return end + 1 - at
}
