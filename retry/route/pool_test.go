package route

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
)

func names(n int) []Target {
	var out []Target
	for i := range n {
		out = append(out, Target{Name: fmt.Sprint("t", i), Model: says("x")})
	}
	return out
}

func newPool(t testing.TB, targets []Target, o *Options) *Pool {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(1, 2))
	}
	p, err := NewPool(targets, o)
	require.NoError(t, err)
	return p
}

func take(t testing.TB, p *Pool, r Request) Pick {
	t.Helper()
	k, err := p.TryAcquire(time.Now(), r)
	require.NoError(t, err)
	return k
}

// TestNoShareIsLarge: of 100 arrivals before any answer, no target gets much more
// than its part, whatever the balance.
func TestNoShareIsLarge(t *testing.T) {
	for b := BalanceEWMA; b <= BalanceWeighted; b++ {
		t.Run(b.String(), func(t *testing.T) {
			p := newPool(t, names(4), &Options{Balance: b})
			if b == BalanceCost {
				t.Skip("the cheapest gets all, up to its limit")
			}
			for range 100 {
				take(t, p, Request{Tokens: 100})
			}
			for _, s := range p.Status(time.Now()) {
				require.InDelta(t, 25, s.InFlight, 6)
			}
		})
	}
}

// TestLongPromptsCount: two prompts of 100,000 tokens weigh more than ten of 100.
func TestLongPromptsCount(t *testing.T) {
	p := newPool(t, names(2), &Options{Balance: BalanceLeast})
	var tried Set
	tried.Add(1)
	for range 2 {
		take(t, p, Request{Tokens: 100_000, Tried: tried})
	}
	tried = Set{}
	tried.Add(0)
	for range 10 {
		take(t, p, Request{Tokens: 100, Tried: tried})
	}
	k := take(t, p, Request{Tokens: 100})
	require.Equal(t, 1, k.Target())
}

// TestCountsEndAtZero: with many goroutines, cancels and double ends.
func TestCountsEndAtZero(t *testing.T) {
	p, err := NewPool(names(5), nil)
	require.NoError(t, err)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				k, err := p.TryAcquire(time.Now(), Request{Tokens: i, Key: uint64(i % 3), Stream: i%2 == 0})
				if err != nil {
					continue
				}
				switch (i + g) % 4 {
				case 0:
					k.Cancel(time.Now())
				case 1:
					k.FirstToken(time.Now())
					k.Done(time.Now(), admission.OutcomeHealthy)
				default:
					k.Done(time.Now(), admission.OutcomeThrottled)
				}
				k.Done(time.Now(), admission.OutcomeUnhealthy)
				k.Cancel(time.Now())
			}
		})
	}
	all.Wait()
	picks := int64(0)
	for i, m := range p.members {
		require.Zero(t, m.inFlight.Load())
		require.Zero(t, m.work.Load())
		require.Positive(t, m.picks.Load(), i)
		require.Zero(t, m.unhealthy.Load())
		picks += m.picks.Load()
	}
	require.EqualValues(t, 3000, picks, "a canceled call isn't counted")
}

// TestMaxInFlightIsExact: the call that reaches the limit passes, and the next
// doesn't, also from many goroutines.
func TestMaxInFlightIsExact(t *testing.T) {
	targets := names(2)
	targets[0].MaxInFlight, targets[1].MaxInFlight = 10, 7
	p, err := NewPool(targets, nil)
	require.NoError(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for range 8 {
		all.Go(func() {
			for range 10 {
				if _, err := p.TryAcquire(time.Now(), Request{}); err == nil {
					mu.Lock()
					passed++
					mu.Unlock()
				} else {
					require.ErrorIs(t, err, ErrNoTarget)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 17, passed)
}

// TestErrorsNameTheTargets: the error of a call without a target says of each target why
// it is left out, also while another call runs that has found a breaker half open.
func TestErrorsNameTheTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, []Target{
			{Name: "tried", Model: says("x")}, {Name: "away", Model: says("x")}, {Name: "ill", Model: says("x")}, {Name: "slow\n", Model: says("x")},
			{Name: "broken", Model: says("x")}, {Name: "busy", Model: says("x"), MaxInFlight: 1}, {Name: "small", Model: says("x"), WindowTokens: 100},
		}, &Options{Breaker: &retry.BreakerOptions{Failures: 1, OpenFor: time.Minute}})
		var others Set
		for i := range p.members {
			others.Add(i)
		}
		only := func(i int) Request {
			r := Request{Tried: others}
			r.Tried[0] &^= 1 << i
			return r
		}
		k := take(t, p, only(4))
		k.Done(time.Now(), admission.OutcomeUnhealthy)
		take(t, p, only(5))
		require.NoError(t, p.Drain("away"))
		p.members[2].set(func() { p.members[2].down = true })
		p.pause(p.members[3], time.Now(), 1500*time.Millisecond)
		r := Request{Tokens: 90, AnswerTokens: 20}
		r.Tried.Add(0)
		_, err := p.TryAcquire(time.Now(), r)
		require.ErrorIs(t, err, ErrNoTarget)
		require.ErrorContains(t, err, `"tried" was tried; "away" is drained; "ill" is down; "slow\n" is paused for 1.5s; `+
			`"broken" has an open circuit breaker for 1m0s; "busy" is full (MaxInFlight 1); "small" has a window of 100 tokens`)

		time.Sleep(time.Minute + time.Second)
		take(t, p, only(4)) // the test call
		_, err = p.TryAcquire(time.Now(), only(4))
		require.ErrorContains(t, err, `no target is left for the call: "tried" was tried; `)
		require.ErrorContains(t, err, `"broken" was just taken by another call`)

		many := names(mostReasons + 3)
		for i := range many {
			many[i].MaxInFlight = 1
		}
		p = newPool(t, many, nil)
		for range many {
			take(t, p, Request{})
		}
		_, err = p.TryAcquire(time.Now(), Request{})
		require.ErrorContains(t, err, `"t9" is full (MaxInFlight 1); and 3 more`)
		require.NotContains(t, err.Error(), "t10")
	})
}

// TestSpillOver: calls go to the next tier when the queue of the first has grown, by
// the engine's own number and by what was sent since; and come back.
func TestSpillOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		targets := []Target{{Name: "own", Model: says("x"), SpillAt: 4}, {Name: "managed", Model: says("x"), Tier: 1}}
		p := newPool(t, targets, nil)
		own := p.members[0]
		reports := func(waiting int) {
			own.report.Store(&report{Load: Load{Waiting: waiting}, at: p.since(time.Now()), inFlight: own.inFlight.Load()})
		}
		reports(3)
		k := take(t, p, Request{})
		require.Equal(t, 0, k.Target())
		next := take(t, p, Request{})
		require.Equal(t, 1, next.Target(), "3 waiting and 1 sent since are 4")
		require.Equal(t, "spill", next.Reason())
		reports(1)
		back := take(t, p, Request{})
		require.Equal(t, 0, back.Target())
		time.Sleep(time.Minute) // the report is too old: the calls in progress count
		for range 2 {
			k := take(t, p, Request{})
			require.Equal(t, 0, k.Target())
		}
		k = take(t, p, Request{})
		require.Equal(t, 1, k.Target(), "4 in progress")
		own.report.Store(&report{Load: Load{CacheUsage: 0.97}, at: p.since(time.Now()), inFlight: own.inFlight.Load()})
		k = take(t, p, Request{})
		require.Equal(t, 1, k.Target(), "a full KV cache counts as a queue")
		require.NoError(t, p.Drain("managed"))
		k = take(t, p, Request{})
		require.Equal(t, 0, k.Target(), "a queue is better than no answer")
	})
}

// TestCost: the cheapest that is fast enough; an unknown price is above a known one,
// and Free below.
func TestCost(t *testing.T) {
	targets := names(4)
	targets[0].InputPicoUSD, targets[0].OutputPicoUSD = 3_000_000, 15_000_000
	targets[1].InputPicoUSD, targets[1].OutputPicoUSD = 150_000, 600_000
	targets[3].Free, targets[3].MaxInFlight = true, 1
	p := newPool(t, targets, &Options{Balance: BalanceCost, LatencyGoal: 2 * time.Second})
	var got []int
	for range 3 {
		k := take(t, p, Request{Tokens: 1000})
		got = append(got, k.Target())
	}
	require.Equal(t, []int{3, 1, 1}, got)
	p.members[1].whole.add(p.since(time.Now()), 5*time.Second, p.o.Decay)
	k := take(t, p, Request{Tokens: 1000})
	require.Equal(t, 0, k.Target(), "the cheap one has become slow")
}

// TestAffinity: calls of a key stay together; a busy target's calls go elsewhere; a
// key whose target was out stays where it went.
func TestAffinity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, names(3), nil)
		key := Hash("conversation 1")
		one := func() int {
			k := take(t, p, Request{Key: key})
			defer k.Done(time.Now(), admission.OutcomeHealthy)
			return k.Target()
		}
		home := one()
		for range 10 {
			require.Equal(t, home, one())
		}
		p.pause(p.members[home], time.Now(), time.Second)
		away := one()
		require.NotEqual(t, home, away)
		require.Equal(t, away, one(), "the same one for the next request")
		time.Sleep(2 * time.Second)
		require.Equal(t, away, one(), "moved, and stays moved")
		p.pause(p.members[away], time.Now(), time.Second)
		require.Equal(t, home, one(), "until that one fails too")
	})
}

// TestBoundedLoad: all calls have one key, and still no target has more than Bound
// times the mean.
func TestBoundedLoad(t *testing.T) {
	p := newPool(t, names(8), nil)
	for range 800 {
		take(t, p, Request{Key: 7})
	}
	for _, s := range p.Status(time.Now()) {
		require.LessOrEqual(t, s.InFlight, 126)
	}
}

// TestPrefixAffinityHits states the share of calls that find their prefix in the
// cache of the target, with affinity and without. 40 prompts, 8 targets whose caches
// have room for 10 each.
func TestPrefixAffinityHits(t *testing.T) {
	if race.Enabled {
		t.Skip("it has one goroutine, and takes long under the race detector")
	}
	hits := map[bool]float64{}
	for _, keyed := range []bool{true, false} {
		p := newPool(t, names(8), nil)
		r := rand.New(rand.NewPCG(3, 4))
		caches := make([][]int, 8)
		busy := []Pick{}
		n, hit := 20_000, 0
		for range n {
			prefix := int(40 * r.Float64() * r.Float64()) // some are popular
			req := Request{Tokens: 2000}
			if keyed {
				req.Key = Hash(fmt.Sprint("prefix ", prefix))
			}
			k := take(t, p, req)
			c := caches[k.Target()]
			for i, have := range c {
				if have == prefix {
					hit++
					c = append(c[:i:i], c[i+1:]...)
					break
				}
			}
			if c = append(c, prefix); len(c) > 10 {
				c = c[1:]
			}
			caches[k.Target()] = c
			if busy = append(busy, k); len(busy) > 64 {
				i := r.IntN(len(busy))
				busy[i].Done(time.Now(), admission.OutcomeHealthy)
				busy = append(busy[:i], busy[i+1:]...)
			}
		}
		hits[keyed] = float64(hit) / float64(n)
	}
	t.Logf("prefix found in the cache: %.1f %% with affinity, %.1f %% without", 100*hits[true], 100*hits[false])
	require.Greater(t, hits[true], 0.8)
	require.Less(t, hits[false], 0.5)
}

func TestChoiceAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for b := BalanceEWMA; b <= BalanceRandom; b++ {
		for _, key := range []uint64{0, 9} {
			p, err := NewPool(names(16), &Options{Balance: b})
			require.NoError(t, err)
			now := time.Now()
			require.Zero(t, testing.AllocsPerRun(200, func() {
				k, err := p.TryAcquire(now, Request{Tokens: 100, Key: key})
				if err != nil {
					t.Error(err)
				}
				k.Done(now, admission.OutcomeHealthy)
			}), "%v, key %d", b, key)
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	for _, key := range []uint64{0, 9} {
		b.Run(map[bool]string{true: "affinity", false: "ewma"}[key != 0], func(b *testing.B) {
			p, err := NewPool(names(16), nil)
			require.NoError(b, err)
			now := time.Now()
			for i := range p.members {
				p.members[i].whole.add(1, time.Second, p.o.Decay)
			}
			r := Request{Tokens: 100, Key: key}
			at := p.since(now)
			b.ReportAllocs()
			for b.Loop() {
				if c := p.choose(at, &r); c.i < 0 {
					b.Fatal()
				}
			}
		})
	}
	b.Run("with permit", func(b *testing.B) {
		p, err := NewPool(names(16), nil)
		require.NoError(b, err)
		now := time.Now()
		b.ReportAllocs()
		for b.Loop() {
			k, err := p.TryAcquire(now, Request{Tokens: 100})
			if err != nil {
				b.Fatal(err)
			}
			k.Done(now, admission.OutcomeHealthy)
		}
	})
}

func TestOptions(t *testing.T) {
	good := Target{Name: "a", Model: says("x")}
	canary, err := NewCanary(nil)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		targets []Target
		o       *Options
	}{
		"no target":        {nil, nil},
		"no name":          {[]Target{{Model: says("x")}}, nil},
		"two of one name":  {[]Target{good, good}, nil},
		"nil model":        {[]Target{{Name: "a"}}, nil},
		"negative window":  {[]Target{{Name: "a", Model: says("x"), WindowTokens: -1}}, nil},
		"too expensive":    {[]Target{{Name: "a", Model: says("x"), InputPicoUSD: 1 << 62}}, nil},
		"a mark alone":     {[]Target{{Name: "a", Model: says("x"), Canary: true}}, nil},
		"no stable one":    {[]Target{{Name: "a", Model: says("x"), Canary: true}}, &Options{Canary: canary}},
		"no mark":          {[]Target{good}, &Options{Canary: canary}},
		"zero canary":      {[]Target{good, {Name: "b", Model: says("x"), Canary: true}}, &Options{Canary: &Canary{}}},
		"zero shadow":      {[]Target{good}, &Options{Shadow: &Shadow{}}},
		"balance":          {[]Target{good}, &Options{Balance: 99}},
		"bound":            {[]Target{good}, &Options{Bound: 0.5}},
		"negative":         {[]Target{good}, &Options{Interval: -1}},
		"breaker":          {[]Target{good}, &Options{Breaker: &retry.BreakerOptions{Failures: -1}}},
		"negative timeout": {[]Target{good}, &Options{Timeouts: retry.Timeouts{Attempt: -1}}},
	} {
		_, err := New(c.targets, c.o)
		require.ErrorIs(t, err, ErrOption, name)
	}
	var zero Model
	require.Nil(t, zero.Unwrap())
	require.False(t, zero.SupportsReasoning())
	_, err = zero.Call(t.Context(), "hi")
	require.ErrorIs(t, err, ErrOption)
	require.ErrorIs(t, zero.Run(t.Context()), ErrOption)
	_, err = PrefixKey(0)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewWeightedRoundRobin([]int{0, 0})
	require.ErrorIs(t, err, ErrOption)
	_, err = NewShadow(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewShadow(says("x"), &ShadowOptions{SpendPicoUSD: 5})
	require.ErrorIs(t, err, ErrOption)
	for _, o := range []CanaryOptions{
		{Allowed: 0.5, Alarming: 0.1}, {Alpha: 2}, {Steps: []int{}}, {Steps: []int{5, 5}}, {Steps: []int{50, 20}}, {Steps: []int{100}},
		{MinSamples: -1}, {OnTimeout: 9}, {MaxFailureRate: 1.5}, {Alpha: 0.6, Beta: 0.6},
	} {
		_, err = NewCanary(&o)
		require.ErrorIs(t, err, ErrOption, "%+v", o)
	}
}
