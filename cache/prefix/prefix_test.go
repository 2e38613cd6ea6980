package prefix

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

type row struct {
	Provider  string
	TTL       string
	MinTokens int `json:"min_tokens"`
	Read      float64
	Write     float64
	Requests  []struct {
		Prompt   int
		Shared   int `json:"longest_shared_prefix_with_earlier"`
		At       int
		Segments []struct {
			ID         string
			Tokens     int
			Breakpoint bool
		}
	}
	Expect []struct {
		Cached    int
		CacheRead int     `json:"cache_read"`
		Written   int     `json:"cache_write"`
		Uncached  int     `json:"uncached"`
		Units     float64 `json:"cost_units"`
	}
}

func TestGoldenBilling(t *testing.T) {
	golden.Rows(t, "cache", "prompt_cache_billing.jsonl", func(r row) error {
		if r.Provider == "openai_auto" {
			for i, q := range r.Requests {
				if got := OpenAI(.5).Cached(q.Prompt, q.Shared); got != r.Expect[i].Cached {
					return fmt.Errorf("request %d: %d cached, want %d", i, got, r.Expect[i].Cached)
				}
			}
			return nil
		}
		rule := Anthropic(r.MinTokens, r.TTL == "1h")
		if rule.Read != r.Read || rule.Write != r.Write {
			return fmt.Errorf("prices %v, %v", r.Read, r.Write)
		}
		var requests []Request
		for _, q := range r.Requests {
			request := Request{At: time.Duration(q.At) * time.Second}
			for _, s := range q.Segments {
				request.Segments = append(request.Segments, Segment{ID: s.ID, Tokens: s.Tokens, Breakpoint: s.Breakpoint})
			}
			requests = append(requests, request)
		}
		bills, err := rule.Bill(requests)
		if err != nil {
			return err
		}
		for i, b := range bills {
			want := r.Expect[i]
			if b.Read != want.CacheRead || b.Written != want.Written || b.Uncached != want.Uncached || math.Abs(b.Units-want.Units) > 1e-9 {
				return fmt.Errorf("request %d: %+v, want %+v", i, b, want)
			}
		}
		return nil
	})
}

// talk is a conversation whose first segment is the time.
func talk(timeFirst bool) (out []Request) {
	for i := range 4 {
		now := Segment{Name: "time", ID: fmt.Sprint("12:0", i), Tokens: 10}
		segments := []Segment{{Name: "system", ID: "s", Tokens: 3000}, {Name: "documents", ID: "d", Tokens: 8000, Breakpoint: true}}
		if timeFirst {
			segments = append([]Segment{now}, segments...)
		} else {
			segments = append(segments, now)
		}
		segments = append(segments, Segment{Name: "question", ID: fmt.Sprint(i), Tokens: 20})
		out = append(out, Request{At: time.Duration(i) * time.Minute, Segments: segments})
	}
	return out
}

func TestMoving(t *testing.T) {
	found := Moving(talk(true))
	require.Equal(t, []Finding{{Name: "time", Times: 3, Lost: 33000}}, found)
	require.Equal(t, `"time" changes before what stays the same: 11000 tokens a call can't be cached`, found[0].String())
	require.Empty(t, Moving(talk(false)))
	require.Empty(t, Moving(nil))
}

func TestBill(t *testing.T) {
	for _, rule := range []Rule{OpenAI(.5), Anthropic(1024, false), Anthropic(1024, true)} {
		bad, err := rule.Bill(talk(true))
		require.NoError(t, err)
		good, err := rule.Bill(talk(false))
		require.NoError(t, err)
		require.Zero(t, bad[3].Read, rule.Name)
		if rule.Step > 0 {
			require.Equal(t, 10880, good[3].Read)
			require.InDelta(t, 10880*.5+150, good[3].Units, 1e-9)
		} else {
			require.Equal(t, Bill{Read: 11000, Uncached: 30, Units: 1130}, good[3])
			require.Equal(t, 11000, bad[3].Written-10, "each call writes again")
		}
	}
}

func TestBadRules(t *testing.T) {
	_, err := Rule{}.Bill(nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = OpenAI(1).Bill([]Request{{At: 2}, {At: 1}})
	require.ErrorIs(t, err, ErrOption)
	_, err = OpenAI(1).Bill([]Request{{Segments: []Segment{{Tokens: -1}}}})
	require.ErrorIs(t, err, ErrOption)
	got, err := OpenAI(1).Bill([]Request{{}})
	require.NoError(t, err)
	require.Equal(t, []Bill{{}}, got)
}
