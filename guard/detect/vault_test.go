package detect_test

import (
	"errors"
	"strings"
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

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestErrors(t *testing.T) {
	_, err := detect.NewVault(broken{})
	require.ErrorContains(t, err, "no entropy")
	_, err = detect.New(detect.Rule{Kind: "X"})
	require.ErrorContains(t, err, `"X"`)
}

func TestMaskHidesMost(t *testing.T) {
	require.Equal(t, "****", detect.Mask(4)(detect.Finding{}, "1234"))
	require.Equal(t, "****567é", detect.Mask(4)(detect.Finding{}, "1234567é"))
	require.Equal(t, "", detect.Finding{Start: 3, End: 9}.Value("abc"))
	require.False(t, strings.Contains(detect.Mask(2)(detect.Finding{}, "a-b-c-d-e"), "a"))
}
