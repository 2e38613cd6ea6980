package detect_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
)

func TestVaultRestoresAStream(t *testing.T) {
	d := everything(t)
	v, err := detect.NewVault(nil)
	require.NoError(t, err)
	text := "write to ana@example.org, not bob@example.org [EMAIL_1]"
	token := d.Redact(text, v.Tokenize)
	require.NotContains(t, token, "@")
	require.Equal(t, 2, v.Len())
	for size := 1; size < 9; size++ {
		s, out := v.Stream(), ""
		for rest := token; rest != ""; {
			n := min(size, len(rest))
			out += s.Write(rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, text, out+s.Close())
	}
	other, err := detect.NewVault(nil)
	require.NoError(t, err)
	require.Equal(t, token, other.Restore(token), "another vault's tokens stay")
}

func TestZeroVaultWorks(t *testing.T) {
	const address = "ana@example.org"
	d := everything(t)
	var v, other detect.Vault
	require.Equal(t, "[EMAIL_1]", other.Restore("[EMAIL_1]"))
	require.Zero(t, other.Len())
	require.Equal(t, "x", (&detect.Vault{}).Stream().Write("x"))
	token := d.Redact(address, v.Tokenize)
	require.NotContains(t, token, "@")
	require.Equal(t, address, v.Restore(token))
	require.Equal(t, 1, v.Len())
	require.NotEqual(t, token, d.Redact(address, other.Tokenize), "each vault has a nonce of its own")

	var shared detect.Vault
	var callers sync.WaitGroup
	tokens := make([]string, 8)
	for i := range tokens {
		callers.Go(func() { tokens[i] = shared.Tokenize(detect.Finding{Kind: "EMAIL"}, address) })
	}
	callers.Wait()
	for _, token := range tokens {
		require.Equal(t, address, shared.Restore(token))
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestErrors(t *testing.T) {
	_, err := detect.NewVault(&detect.VaultOptions{Random: broken{}})
	require.ErrorContains(t, err, "no entropy")
	match := func(string, int, bool) int { return 0 }
	for want, rule := range map[string]detect.Rule{
		"Kind":  {Max: 1, Match: match},
		"Match": {Kind: "X", Max: 1},
		"Max":   {Kind: "X", Match: match},
	} {
		_, err = detect.New(rule)
		require.ErrorIs(t, err, detect.ErrOption)
		require.ErrorContains(t, err, want)
	}
	_, err = detect.New()
	require.ErrorIs(t, err, detect.ErrOption)
	require.ErrorContains(t, err, "no rules")
	_, err = detect.Hash(nil)
	require.ErrorIs(t, err, detect.ErrOption)
}

func TestNoReplaceIsALabel(t *testing.T) {
	d := everything(t)
	require.Equal(t, "[EMAIL]", d.Redact("ana@example.org", nil))
	s := d.Stream(nil)
	require.Equal(t, "[EMAIL]", s.Write("ana@example.org")+s.Close())
}

func TestMaskHidesMost(t *testing.T) {
	require.Equal(t, "****", detect.Mask(4)(detect.Finding{}, "1234"))
	require.Equal(t, "****567é", detect.Mask(4)(detect.Finding{}, "1234567é"))
	require.Equal(t, "", detect.Finding{Start: 3, End: 9}.Value("abc"))
	require.False(t, strings.Contains(detect.Mask(2)(detect.Finding{}, "a-b-c-d-e"), "a"))
}
