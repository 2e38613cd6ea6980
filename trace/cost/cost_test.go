package cost

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/usage"
)

type costRow struct {
	Model string `json:"model"`
	Usage struct {
		Input        int64 `json:"input"`
		CacheRead    int64 `json:"cache_read"`
		CacheWrite5m int64 `json:"cache_write_5m"`
		CacheWrite1h int64 `json:"cache_write_1h"`
		AudioIn      int64 `json:"audio_in"`
		Output       int64 `json:"output"`
		Reasoning    int64 `json:"reasoning"`
		AudioOut     int64 `json:"audio_out"`
	} `json:"usage"`
	ServiceTier string           `json:"service_tier"`
	PicoUSD     int64            `json:"pico_usd"`
	Breakdown   map[string]int64 `json:"breakdown"`
	LiteLLM     *float64         `json:"litellm_usd"`
}

func (r *costRow) usage() Usage {
	u := r.Usage
	return Usage{Input: u.Input, CacheRead: u.CacheRead, CacheWrite5m: u.CacheWrite5m, CacheWrite1h: u.CacheWrite1h, AudioIn: u.AudioIn, Output: u.Output, Reasoning: u.Reasoning, AudioOut: u.AudioOut}
}

func TestGoldenCost(t *testing.T) {
	table, err := Load(bytes.NewReader(golden.Read(t, "trace", "prices.json.gz")))
	require.NoError(t, err)
	golden.Rows(t, "trace", "cost_cases.jsonl", func(row costRow) error {
		b, err := table.Bill(row.Model, row.ServiceTier, row.usage())
		if err != nil {
			return err
		}
		if b.PicoUSD != row.PicoUSD {
			return fmt.Errorf("got %d pico-USD, want %d", b.PicoUSD, row.PicoUSD)
		}
		for part, got := range map[string]int64{
			"input": b.InputPicoUSD, "cache_read": b.CacheReadPicoUSD, "cache_write_5m": b.CacheWrite5mPicoUSD, "cache_write_1h": b.CacheWrite1hPicoUSD,
			"audio_in": b.AudioInPicoUSD, "output": b.OutputPicoUSD, "reasoning": b.ReasoningPicoUSD, "audio_out": b.AudioOutPicoUSD,
		} {
			if got != row.Breakdown[part] {
				return fmt.Errorf("%s: got %d, want %d", part, got, row.Breakdown[part])
			}
		}
		if row.LiteLLM != nil && math.Abs(float64(b.PicoUSD)/1e12-*row.LiteLLM) > 1e-9**row.LiteLLM+1e-18 {
			return fmt.Errorf("litellm says %v", *row.LiteLLM)
		}
		return nil
	})
}

func TestDefaultTable(t *testing.T) {
	table, err := Default()
	require.NoError(t, err)
	require.Regexp(t, `^\d{4}-\d\d-\d\d$`, table.Taken)
	require.Greater(t, len(table.Models()), 20)
	_, name, err := table.Find("openai/gpt-4o-mini-2024-07-18")
	require.NoError(t, err)
	require.Equal(t, "gpt-4o-mini", name)
	for _, unknown := range []string{"", "gpt-4o-minii", "mini", "gpt-4o-mini-2024-7-18", "-20240718"} {
		_, _, err := table.Find(unknown)
		require.ErrorIs(t, err, ErrUnknownModel, "%q", unknown)
	}
}

func TestBillRefusesWhatCannotBe(t *testing.T) {
	table, err := Default()
	require.NoError(t, err)
	for _, u := range []Usage{{Input: -1}, {Input: 1, CacheRead: 2}, {Output: 1, Reasoning: 1, AudioOut: 1}} {
		_, err := table.Bill("gpt-4o", "", u)
		require.ErrorIs(t, err, ErrUsage, "%+v", u)
	}
	_, err = table.Bill("gpt-4o", "", Usage{Input: math.MaxInt64})
	require.ErrorIs(t, err, ErrOverflow)
	_, err = table.Bill("no such", "", Usage{})
	require.ErrorIs(t, err, ErrUnknownModel)
}

func TestLoadRefusesBrokenTables(t *testing.T) {
	for _, bad := range []string{"", "[]", `{"models":{"a":null}}`, `{"models":{"a":{"price":{"in":-1}}}}`, `{"models":{"a":{"price":{"in":1.5}}}}`} {
		_, err := Load(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}

func TestOfReadsTheAnswer(t *testing.T) {
	table, err := Default()
	require.NoError(t, err)
	info := map[string]any{"PromptTokens": 1200, "PromptCachedTokens": 1024, "CompletionTokens": 80, "Model": "gpt-4o-mini-2024-07-18"}
	r := &llms.ContentResponse{Choices: []*llms.ContentChoice{{GenerationInfo: info}}}
	for _, asked := range []string{"gpt-4o-mini", "my-deployment"} {
		pico, ok := table.Of(asked, r)
		require.True(t, ok)
		require.EqualValues(t, 151_200_000, pico, "as Phoenix computes it")
	}
	info["ServiceTier"] = "priority"
	pico, ok := table.Of("gpt-4o-mini", r)
	require.True(t, ok)
	require.EqualValues(t, 176*250_000+1024*125_000+80*1_000_000, pico)

	info[usage.FromCache] = "exact"
	pico, ok = table.Of("gpt-4o-mini", r)
	require.True(t, ok)
	require.Zero(t, pico)

	_, ok = table.Of("gpt-4o-mini", &llms.ContentResponse{})
	require.False(t, ok)
	_, ok = table.Of("gpt-4o-mini", nil)
	require.False(t, ok)
}

func TestUSD(t *testing.T) {
	for pico, want := range map[int64]string{0: "$0.00", 151_200_000: "$0.0001512", 12_500_000_000_000: "$12.50", -1: "-$0.000000000001",
		math.MinInt64: "-$9223372.036854775808"} {
		require.Equal(t, want, USD(pico))
	}
}

// The difference of two limits can be too large for an int64.
func TestTiersAscend(t *testing.T) {
	table, err := Load(strings.NewReader(`{"models":{"a":{"price":{"tiers":[{"above":9223372036854775807},{"above":-2}]}}}}`))
	require.NoError(t, err)
	m, _, err := table.Find("a")
	require.NoError(t, err)
	require.Equal(t, []Tier{{Above: -2}, {Above: 9223372036854775807}}, m.Tiers)
}

func FuzzLoad(f *testing.F) {
	f.Add(`{"taken":"2026-01-01","models":{"a":{"provider":"p","price":{"in":150000,"out":600000,"cache_read":75000,"tiers":[{"above":200000,"in":300000},{"above":100000,"in":200000}],"flex":{"in":75000}}}}}`)
	f.Fuzz(func(t *testing.T, data string) { // the whole table as a seed is too large to be changed often
		table, err := Load(strings.NewReader(data))
		if err != nil {
			return
		}
		for _, m := range table.Models() {
			prices, _, err := table.Find(m)
			require.NoError(t, err)
			require.True(t, slices.IsSortedFunc(prices.Tiers, func(a, b Tier) int { return cmp.Compare(a.Above, b.Above) }))
			b, err := table.Bill(m, "flex", Usage{Input: 5, CacheRead: 1, Output: 3, Reasoning: 1})
			if err == nil && b.PicoUSD < 0 {
				t.Fatal("a negative bill")
			}
		}
	})
}

func ExampleTable_Bill() {
	prices, err := Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	bill, err := prices.Bill("gpt-4o-mini", "", Usage{Input: 1200, CacheRead: 1024, Output: 80})
	fmt.Println(USD(bill.PicoUSD), err)
	_, err = prices.Bill("gpt-99", "", Usage{Input: 1})
	fmt.Println(err != nil)
	// Output:
	// $0.0001512 <nil>
	// true
}

func BenchmarkBill(b *testing.B) {
	prices, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := prices.Bill("gpt-4o-mini", "", Usage{Input: 1200, CacheRead: 1024, Output: 80}); err != nil {
			b.Fatal(err)
		}
	}
}
