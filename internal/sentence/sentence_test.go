package sentence

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const manual = "# Returns\n\nPurchases may be refunded within 30 days of delivery. Send the parcel back in its box, e.g. with the label.\n\n- Gift cards are never refunded.\n- Error E4502 means that the gateway\n  timed out.\n"

func TestSplit(t *testing.T) {
	var got []string
	for _, s := range Split(manual) {
		got = append(got, manual[s.Start:s.End])
	}
	require.Equal(t, []string{"# Returns", "Purchases may be refunded within 30 days of delivery.",
		"Send the parcel back in its box, e.g. with the label.", "- Gift cards are never refunded.", "- Error E4502 means that the gateway\n  timed out."}, got)
	require.Empty(t, Split(" \n\n "))
}

func FuzzSplit(f *testing.F) {
	f.Add(manual)
	f.Add("a\n\n#\n- \xff. 返金。は")
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		rest := ""
		for _, s := range Split(text) {
			if s.Start < at || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("span %v after %d", s, at)
			}
			rest += text[at:s.Start]
			at = s.End
		}
		if strings.TrimSpace(rest+text[at:]) != "" {
			t.Fatalf("lost %q", rest+text[at:])
		}
	})
}
