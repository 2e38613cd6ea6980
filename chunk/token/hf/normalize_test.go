package hf

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No character is added to a long run of marks, as in the reference.
func TestNormalizersGainNothing(t *testing.T) {
	marks := strings.Repeat("\u0301", 40)
	for form, want := range map[string]string{"NFC": "\u00e1" + marks[2:], "NFD": "a" + marks, "NFKC": "\u00e1" + marks[2:], "NFKD": "a" + marks} {
		normalize, err := newNormalizer([]byte(`{"type":"` + form + `"}`))
		require.NoError(t, err)
		require.Equal(t, want, normalize("a"+marks), form)
	}
}
