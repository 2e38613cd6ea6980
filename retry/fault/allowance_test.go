package fault

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Mistral's headers name their window and have no reset.
func TestAllowancesOfAMinute(t *testing.T) {
	h := http.Header{}
	for name, value := range map[string]string{"x-ratelimit-limit-req-minute": "720", "x-ratelimit-remaining-req-minute": "540",
		"x-ratelimit-limit-tokens-minute": "5000000", "x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-tokens-query-cost": "52"} {
		h.Set(name, value)
	}
	require.Equal(t, []Allowance{{"requests", 720, 540, 15 * time.Second}, {"tokens", 5_000_000, 0, time.Minute}}, ParseAllowances(h, time.Now()))
	h = http.Header{}
	h.Set("x-ratelimit-remaining-req-minute", "7")
	require.Equal(t, []Allowance{{"requests", -1, 7, -1}}, ParseAllowances(h, time.Now()))
}
