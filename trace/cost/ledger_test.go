package cost

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func table(t testing.TB) *Table {
	t.Helper()
	out, err := Default()
	require.NoError(t, err)
	return out
}

func TestFullTable(t *testing.T) {
	full, err := Full()
	require.NoError(t, err)
	require.Greater(t, len(full.Models()), 3000)
	small := table(t)
	require.NotEmpty(t, full.Taken)
	usage := Usage{Input: 1000, CacheRead: 100, Output: 50}
	for _, m := range small.Models() { // the same day's prices
		a, err := small.Bill(m, "", usage)
		require.NoError(t, err)
		b, err := full.Bill(m, "", usage)
		require.NoError(t, err, m)
		require.Equal(t, a, b, m)
	}
	own, err := Load(strings.NewReader(`{"taken":"2027-01-01","models":{"gpt-4o-mini":{"price":{"in":1}},"mine":{"price":{"in":2}}}}`))
	require.NoError(t, err)
	both := small.With(own)
	require.Equal(t, "2027-01-01", both.Taken)
	require.Len(t, both.Models(), len(small.Models())+1)
	b, err := both.Bill("gpt-4o-mini", "", Usage{Input: 1})
	require.NoError(t, err)
	require.Equal(t, int64(1), b.PicoUSD)
	require.Same(t, small, small.With(nil))
	require.Equal(t, []string{"mine"}, (&Table{}).With(own).Models()[1:])
}

func TestImplausiblePrices(t *testing.T) {
	bad, err := Load(strings.NewReader(`{"models":{"a":{"price":{"in":10,"out":20,"cache_read":11}},"b":{"price":{"in":10,"batches":{"in":20}}},"c":{"price":{"in":10000000000}},"d":{"price":{"in":10,"out":20,"cache_read":1,"batches":{"in":5}}}}}`))
	require.NoError(t, err)
	require.Len(t, bad.Implausible(), 3)
	require.Empty(t, table(t).Implausible(), "the embedded table")
}

// TestImagesHaveTheirPrice: an image that a model writes costs many times its text.
func TestImagesHaveTheirPrice(t *testing.T) {
	full, err := Full()
	require.NoError(t, err)
	b, err := full.Bill("azure/gpt-image-1.5", "", Usage{Input: 10, ImageIn: 4, Output: 100, ImageOut: 90})
	require.NoError(t, err)
	require.Equal(t, []int64{6 * 5_000_000, 4 * 8_000_000, 10 * 10_000_000, 90 * 32_000_000}, []int64{b.InputPicoUSD, b.ImageInPicoUSD, b.OutputPicoUSD, b.ImageOutPicoUSD})
	b, err = full.Bill("gpt-4o-mini", "", Usage{Input: 10, ImageIn: 10})
	require.NoError(t, err)
	require.Equal(t, int64(10*150_000), b.PicoUSD, "without a price of their own images cost as much as text")
	_, err = full.Bill("gpt-4o-mini", "", Usage{Input: 10, ImageIn: 11})
	require.ErrorIs(t, err, ErrUsage)
}

// TestEveryDimensionAddsUp: the totals of each are the sum of the bills, in any order
// and from many goroutines; keys beyond the limit are added up under Other.
func TestEveryDimensionAddsUp(t *testing.T) {
	prices := table(t)
	l, err := NewLedger(prices, &LedgerOptions{MaxKeys: 7})
	require.NoError(t, err)
	models := append(slices.Clone(prices.Models()[:5]), "unknown")
	var mu sync.Mutex
	var want, unpriced, input int64
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for i := range 500 {
				e := Entry{ID: fmt.Sprint(g, "/", i), Tenant: fmt.Sprint("t", rng.IntN(20)), Feature: fmt.Sprint("f", rng.IntN(3)), Prompt: fmt.Sprint("p", rng.IntN(9)), Model: models[rng.IntN(6)],
					Usage: Usage{Input: 100 + rng.Int64N(1e5), CacheRead: rng.Int64N(100), Output: rng.Int64N(1e4)}}
				pico, err := l.Book(e)
				again, _ := l.Book(e) // delivered twice
				mu.Lock()
				want, input = want+pico, input+e.Usage.Input
				if err != nil {
					unpriced++
				}
				mu.Unlock()
				if again != pico {
					t.Error("a second booking changed something")
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, want, l.Sum().PicoUSD)
	require.Equal(t, int64(2000), l.Sum().Calls)
	require.Equal(t, map[string]int64{"unknown": unpriced}, l.Unpriced())
	for _, by := range []By{ByTenant, ByFeature, ByPrompt, ByModel} {
		var got Total
		totals := l.Totals(by)
		require.LessOrEqual(t, len(totals), 8)
		for _, x := range totals {
			got.plus(&x)
		}
		require.Equal(t, []int64{want, 2000, unpriced, input}, []int64{got.PicoUSD, got.Calls, got.Unpriced, got.Usage.Input})
		require.True(t, slices.IsSortedFunc(totals, func(a, b Total) int { return int(b.PicoUSD - a.PicoUSD) }))
	}
	require.Nil(t, l.Totals(99))
}

func TestLedgerRefusesAndCorrects(t *testing.T) {
	l, err := NewLedger(table(t), &LedgerOptions{MaxIDs: 2})
	require.NoError(t, err)
	e := Entry{ID: "x", Model: "gpt-4o-mini", Usage: Usage{Input: 1_000_000}}
	pico, err := l.Book(e)
	require.NoError(t, err)
	require.Equal(t, "$0.15", USD(pico))
	e.Usage.Input++
	_, err = l.Book(e)
	require.ErrorIs(t, err, ErrConflict)
	_, err = l.Book(Entry{Model: "gpt-4o-mini", Usage: Usage{Input: -5}})
	require.ErrorIs(t, err, ErrUsage)
	require.Equal(t, int64(1), l.Sum().Unpriced)
	require.Equal(t, int64(1_000_000), l.Sum().Usage.Input, "impossible counts are not added")
	require.ErrorIs(t, l.Correct(e, -pico, ""), ErrOption)
	require.NoError(t, l.Correct(Entry{Tenant: "acme"}, -pico, "booked in error"))
	require.Zero(t, l.Sum().PicoUSD)
	require.Equal(t, "booked in error", l.Corrections()[0].Reason)
	require.NoError(t, l.Correct(e, math.MaxInt64, "too much"))
	_, err = l.Book(Entry{Model: "gpt-4o-mini", Usage: Usage{Input: 1}})
	require.ErrorIs(t, err, ErrOverflow)
	require.ErrorIs(t, l.Correct(e, 1, "more"), ErrOverflow)
	_, err = NewLedger(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewLedger(table(t), &LedgerOptions{MaxKeys: -1})
	require.ErrorIs(t, err, ErrOption)
}

// TestTinyCostsAreNotRounded: 20,000 calls of less than a thousandth of a cent.
func TestTinyCostsAreNotRounded(t *testing.T) {
	own, err := Load(strings.NewReader(`{"models":{"m":{"price":{"in":400000}}}}`))
	require.NoError(t, err)
	l, err := NewLedger(own, nil)
	require.NoError(t, err)
	for range 20_000 {
		if _, err := l.Book(Entry{Model: "m", Usage: Usage{Input: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	require.Equal(t, "$0.008", USD(l.Sum().PicoUSD))
}

func TestReports(t *testing.T) {
	totals := []Total{{Key: "=cmd()", Calls: 2, Unpriced: 1, Usage: Usage{Input: 10, CacheRead: 4, Output: 3}, PicoUSD: 151_200_000}, {Key: "", Calls: 1}, {Key: "a\nb\x1b", PicoUSD: -1e12}}
	var b bytes.Buffer
	require.NoError(t, WriteTable(&b, "tenant", totals))
	require.Equal(t, 4, strings.Count(b.String(), "\n"))
	require.Contains(t, b.String(), "$0.0001512  + 1 unpriced")
	require.Contains(t, b.String(), "(none)")
	b.Reset()
	require.NoError(t, WriteCSV(&b, "tenant", totals))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"'=cmd()", "2", "1", "10", "4", "0", "3", "0", "151200000", "0.0001512"}, rows[1])
	require.Equal(t, "-1.00", rows[3][9])
	require.ErrorIs(t, WriteTable(nil, "", nil), ErrOption)
	require.ErrorIs(t, WriteCSV(nil, "", nil), ErrOption)
}

// TestBudgetWindows: alerts come once, and a forecast is for its own window.
func TestBudgetWindows(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	b, err := NewBudget(10e12, &BudgetOptions{Window: WindowDay, Location: berlin})
	require.NoError(t, err)
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, berlin)
	alerts := b.Spend(noon, 6e12)
	require.Len(t, alerts, 1)
	require.Equal(t, 0.5, alerts[0].Share)
	require.Equal(t, noon.Add(8*time.Hour), alerts[0].Exceeded)
	at, ok := b.Forecast(noon)
	require.True(t, ok)
	require.Equal(t, 20, at.Hour())
	require.Empty(t, b.Spend(noon, 1), "each alert comes once")
	require.Len(t, b.Spend(noon.Add(time.Minute), 5e12), 2)
	require.Equal(t, int64(11e12+1), b.Spent(noon.Add(time.Hour)))
	tomorrow := noon.Add(24 * time.Hour)
	require.Zero(t, b.Spent(tomorrow))
	_, ok = b.Forecast(tomorrow)
	require.False(t, ok)
	require.Empty(t, b.Spend(tomorrow, 1e12), "1 of 10 dollars at noon lasts")
	require.Empty(t, b.Spend(noon, 100e12), "yesterday's money is not today's")
	require.Equal(t, int64(1e12), b.Spent(tomorrow))
	require.Empty(t, b.Spend(tomorrow, -5e12))
	require.Zero(t, b.Spent(tomorrow))

	short := time.Date(2026, 3, 29, 1, 0, 0, 0, berlin) // the day of 23 hours
	d, err := NewBudget(1, &BudgetOptions{Window: WindowDay, Location: berlin})
	require.NoError(t, err)
	require.Equal(t, 23*time.Hour, d.Spend(short, 1)[0].End.Sub(d.start))
	m, err := NewBudget(10, nil)
	require.NoError(t, err)
	require.Equal(t, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), m.Spend(time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC), math.MaxInt64)[0].End)
	require.Empty(t, m.Spend(time.Date(2026, 12, 31, 23, 59, 1, 0, time.UTC), math.MaxInt64), "no overflow")
	for _, bad := range []func() (*Budget, error){
		func() (*Budget, error) { return NewBudget(0, nil) },
		func() (*Budget, error) { return NewBudget(1, &BudgetOptions{Window: 9}) },
		func() (*Budget, error) { return NewBudget(1, &BudgetOptions{Alerts: []float64{math.NaN()}}) },
	} {
		_, err := bad()
		require.ErrorIs(t, err, ErrOption)
	}
}

func days(costs ...int64) []Point {
	var out []Point
	for i, c := range costs {
		out = append(out, Point{time.Date(2026, 11, 1+i, 0, 0, 0, 0, time.UTC), c * 1e12})
	}
	return out
}

func TestAnomalies(t *testing.T) {
	found, err := Anomalies(days(100, 104, 98, 101, 99, 102, 400, 103, 500, 99), nil)
	require.NoError(t, err)
	require.Len(t, found, 2, "the second is found too: the first does not move the median")
	require.Equal(t, int64(400e12), found[0].PicoUSD)
	require.InDelta(t, 100.5e12, found[0].ExpectedPicoUSD, 1e12)

	week := []int64{10, 10, 10, 10, 10, 100, 100} // weekends are expensive
	var series []int64
	for range 6 {
		series = append(series, week...)
	}
	found, err = Anomalies(days(series...), &AnomalyOptions{Period: 7})
	require.NoError(t, err)
	require.Empty(t, found)
	series[36] = 60 // a Tuesday
	found, err = Anomalies(days(series...), &AnomalyOptions{Period: 7})
	require.NoError(t, err)
	require.Len(t, found, 1)

	for _, quiet := range [][]Point{nil, days(1, 1, 1, 1, 1), days(100, 100, 100, 100, 100, 140), days(100, 100, 100, 100, 100, 0), days(0, 0, 0, 0, 0, 0)} {
		found, err = Anomalies(quiet, nil)
		require.NoError(t, err)
		require.Empty(t, found)
	}
	found, err = Anomalies(days(0, 0, 0, 0, 0, 50), nil)
	require.NoError(t, err)
	require.Len(t, found, 1, "spending where there was none")
	_, err = Anomalies([]Point{{}, {}}, nil)
	require.ErrorIs(t, err, ErrOption)
	for _, bad := range []AnomalyOptions{{Period: -1}, {Threshold: math.NaN()}, {History: 3, MinHistory: 4}} {
		_, err = Anomalies(nil, &bad)
		require.ErrorIs(t, err, ErrOption)
	}
}

// TestAnomaliesAreRareOnNoise states how often ordinary noise raises an alarm.
func TestAnomaliesAreRareOnNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	var series []int64
	for range 5000 {
		series = append(series, int64(1000*math.Exp(0.15*rng.NormFloat64())))
	}
	found, err := Anomalies(days(series...), nil)
	require.NoError(t, err)
	t.Logf("%d alarms in 5000 days of log-normal noise of 15 %%", len(found))
	require.Less(t, len(found), 25)
}

func TestWhatIf(t *testing.T) {
	entries := slices.Values([]Entry{
		{Model: "gpt-4o", Usage: Usage{Input: 1_000_000, Output: 100_000}},
		{Model: "gpt-4o", Usage: Usage{Input: 1200, CacheRead: 1024, Output: 80}},
		{Model: "unknown", Usage: Usage{Input: 5}},
	})
	got, err := table(t).WhatIf(entries, "gpt-4o-mini", &WhatIfOptions{Spread: -1})
	require.NoError(t, err)
	require.Equal(t, int64(210_000_000_000+151_200_000), got.PicoUSD)
	require.Equal(t, []int64{3, 0, 1, got.PicoUSD, got.PicoUSD}, []int64{got.Calls, got.Unpriced, got.UnknownPaid, got.LowPicoUSD, got.HighPicoUSD})
	paid, err := table(t).WhatIf(entries, "gpt-4o", nil)
	require.NoError(t, err)
	require.Equal(t, paid.PaidPicoUSD, paid.PicoUSD, "on its own model it costs what was paid")
	require.InDelta(t, float64(paid.PicoUSD)*0.85, float64(paid.LowPicoUSD), 1e9)
	require.InDelta(t, float64(paid.PicoUSD)*1.15, float64(paid.HighPicoUSD), 1e9)
	_, err = table(t).WhatIf(entries, "no such", nil)
	require.ErrorIs(t, err, ErrUnknownModel)
	for _, bad := range []WhatIfOptions{{Ratio: -1}, {Ratio: math.NaN()}, {Spread: 1}} {
		_, err = table(t).WhatIf(entries, "gpt-4o", &bad)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = table(t).WhatIf(nil, "gpt-4o", nil)
	require.ErrorIs(t, err, ErrOption)
	tiers, err := Load(strings.NewReader(`{"models":{"a":{"price":{"in":3,"tiers":[{"above":200000,"in":6}]}}}}`))
	require.NoError(t, err)
	many := make([]Entry, 10)
	for i := range many {
		many[i] = Entry{Model: "a", Usage: Usage{Input: 30_000}}
	}
	sum, err := tiers.WhatIf(slices.Values(many), "a", nil)
	require.NoError(t, err)
	require.Equal(t, int64(900_000), sum.PicoUSD, "ten small requests are not one large one")
}

// TestBreakEven: the doc's figure, by hand; more of it by brute force.
func TestBreakEven(t *testing.T) {
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	known := SelfHost{GPUHourUSD: Range{Likely: 2}, TokensPerSecond: Range{Likely: 2500}, Utilization: Range{Likely: 0.8}, APIUSDPerMillion: Range{Likely: 0.375}}
	b, err := known.BreakEven(rng())
	require.NoError(t, err)
	require.InDelta(t, 2*730/0.375e-6, b.Likely, 1)
	require.Equal(t, []float64{b.Likely, b.Likely, b.Likely, 0}, []float64{b.P5, b.P50, b.P95, b.Never}, "known numbers have no uncertainty")
	require.Equal(t, []float64{0, 1}, []float64{b.Cheaper(3.8e9), b.Cheaper(4e9)})

	idle := known
	idle.Utilization = Range{Likely: 0.3}
	b, err = idle.BreakEven(rng())
	require.NoError(t, err)
	require.True(t, math.IsInf(b.Likely, 1), "an idle GPU never pays")
	require.Equal(t, 1.0, math.Round(b.Never*1e6)/1e6)

	s := SelfHost{GPUHourUSD: Range{2, 2.5, 4}, TokensPerSecond: Range{1500, 2500, 4000}, Utilization: Range{0.2, 0.4, 0.7}, FixedMonthUSD: Range{2000, 4000, 8000}, APIUSDPerMillion: Range{0.5, 1, 1.5}, MinReplicas: 2}
	b, err = s.BreakEven(rng())
	require.NoError(t, err)
	require.True(t, b.P5 < b.P50 && b.P50 < b.P95)
	d := s.drawn(func(r Range) float64 { return r.Likely })
	require.LessOrEqual(t, d.month(b.Likely), d.api*b.Likely*(1+1e-9))
	for v := 1e6; v < b.Likely*0.999; v += b.Likely / 5000 {
		require.Greater(t, d.month(v), d.api*v, "below the break-even the API is cheaper")
	}
	again, err := s.BreakEven(rng())
	require.NoError(t, err)
	require.Equal(t, b.P95, again.P95)
	for _, bad := range []SelfHost{{}, {GPUHourUSD: Range{Likely: 1}, TokensPerSecond: Range{Likely: 1}, Utilization: Range{Likely: 1.1}, APIUSDPerMillion: Range{Likely: 1}},
		{GPUHourUSD: Range{3, 2, 1}, TokensPerSecond: Range{Likely: 1}, Utilization: Range{Likely: 1}, APIUSDPerMillion: Range{Likely: 1}}} {
		_, err := bad.BreakEven(rng())
		require.ErrorIs(t, err, ErrOption)
	}
	_, err = known.BreakEven(nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestTriangularDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	r := Range{1, 2, 6}
	sum := 0.0
	for range 100_000 {
		x := r.draw(rng)
		require.True(t, x >= 1 && x <= 6)
		sum += x
	}
	require.InDelta(t, 3, sum/100_000, 0.02, "the mean is (low + likely + high) / 3")
}

func ExampleLedger() {
	prices, err := Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := NewLedger(prices, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range []Entry{
		{ID: "1", Tenant: "acme", Model: "gpt-4o-mini", Usage: Usage{Input: 1200, CacheRead: 1024, Output: 80}},
		{ID: "2", Tenant: "acme", Model: "gpt-4o", Usage: Usage{Input: 1200, Output: 80}},
		{ID: "3", Tenant: "umbra", Model: "gpt-99", Usage: Usage{Input: 1200, Output: 80}},
	} {
		if _, err := l.Book(e); err != nil {
			fmt.Println(err)
		}
	}
	if err := WriteTable(os.Stdout, "tenant", l.Totals(ByTenant)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// cost: the price table doesn't know the model: "gpt-99" (prices of 2026-11-23)
	// tenant  calls  input  cached  output  cost
	// acme    2      2400   1024    160     $0.0039512
	// umbra   1      1200   0       80      $0.00       + 1 unpriced
}
