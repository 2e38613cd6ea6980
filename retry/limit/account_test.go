package limit

import (
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/fault"
)

var start = time.Unix(1_790_000_000, 0)

func account(t testing.TB, o *AccountOptions) *Account {
	a, err := NewAccount(o)
	require.NoError(t, err)
	return a
}

// room returns what the account knows of a model's dimension.
func roomOf(a *Account, now time.Time, model, dimension string) (fault.Allowance, bool) {
	for _, l := range a.Allowances(now, model) {
		if l.Dimension == dimension {
			return l, true
		}
	}
	return fault.Allowance{}, false
}

// burst takes as many calls as there is room for.
func burst(a *Account, now time.Time, model string, u Use) int {
	for n := 0; ; n++ {
		if _, wait := a.take(now, model, u); wait > 0 || n == 10_000 {
			return n
		}
	}
}

func TestAccountLearnsEveryProvidersHeaders(t *testing.T) {
	instant := func(d time.Duration) string { return start.Add(d).UTC().Format(time.RFC3339) }
	for name, h := range map[string]map[string]string{
		"OpenAI": {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "30", "x-ratelimit-reset-requests": "30s",
			"x-ratelimit-limit-tokens": "6000", "x-ratelimit-remaining-tokens": "3000", "x-ratelimit-reset-tokens": "30s"},
		"Anthropic": {"anthropic-ratelimit-requests-limit": "60", "anthropic-ratelimit-requests-remaining": "30", "anthropic-ratelimit-requests-reset": instant(30 * time.Second),
			"anthropic-ratelimit-tokens-limit": "6000", "anthropic-ratelimit-tokens-remaining": "3000", "anthropic-ratelimit-tokens-reset": instant(30 * time.Second)},
		"Azure, which sends no reset": {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "30",
			"x-ratelimit-limit-tokens": "6000", "x-ratelimit-remaining-tokens": "3000"},
		"Groq": {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "30", "x-ratelimit-reset-requests": "0m30s",
			"x-ratelimit-limit-tokens": "6000", "x-ratelimit-remaining-tokens": "3000", "x-ratelimit-reset-tokens": "30.00s"},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t, nil)
			permit, wait := a.take(start, "m", Use{10, 10})
			require.Zero(t, wait)
			header := http.Header{}
			for k, v := range h {
				header.Set(k, v)
			}
			permit.Learn(start, fault.ParseAllowances(header, start))
			for dimension, limit := range map[string]int64{"requests": 60, "tokens": 6000} {
				l, ok := roomOf(a, start, "m", dimension)
				require.True(t, ok)
				require.Equal(t, limit, l.Limit)
				require.Equal(t, limit/2, l.Remaining)
				require.InDelta(t, 30, l.Reset.Seconds(), 1e-6)
			}
			require.Equal(t, 30, burst(a, start, "m", Use{1, 1}))
			require.Equal(t, 10_000, burst(a, start, "another", Use{1, 1}), "another model's room isn't known")
			now := start.Add(10 * time.Second)
			require.Equal(t, 7, burst(a, now, "m", Use{300, 200}), "of 3940 tokens, 1000 of which came back")
		})
	}
}

func learned(limit, remaining int64, reset time.Duration) []fault.Allowance {
	return []fault.Allowance{{Dimension: "requests", Limit: limit, Remaining: remaining, Reset: reset}}
}

func TestAccountGrowsAndShrinks(t *testing.T) {
	a, now := account(t, nil), start
	say := func(limit, remaining int64, reset time.Duration) fault.Allowance {
		now = now.Add(time.Second)
		permit, wait := a.take(now, "m", Use{})
		require.Zero(t, wait)
		permit.Learn(now, learned(limit, remaining, reset))
		l, _ := roomOf(a, now, "m", "requests")
		return l
	}
	l := say(100, 50, 30*time.Second)
	require.Equal(t, int64(50), l.Remaining)
	l = say(100, 20, 48*time.Second)
	require.Equal(t, int64(20), l.Remaining, "another process has used the account")
	l = say(100, 90, 6*time.Second)
	require.Equal(t, int64(90), l.Remaining, "and has stopped")
	l = say(1000, 990, 600*time.Millisecond)
	require.Equal(t, int64(1000), l.Limit, "a larger plan")
	require.Equal(t, int64(990), l.Remaining)
	l = say(10, 5, 30*time.Second)
	require.Equal(t, int64(10), l.Limit, "a smaller one")
	require.Equal(t, int64(5), l.Remaining)
}

func TestAccountCountsWhatIsUnderWay(t *testing.T) {
	a := account(t, nil)
	first, _ := a.take(start, "m", Use{})
	for range 9 {
		a.take(start, "m", Use{})
	}
	last, _ := a.take(start.Add(time.Millisecond), "m", Use{})
	first.Learn(start.Add(10*time.Millisecond), learned(60, 59, time.Second))
	l, _ := roomOf(a, start.Add(10*time.Millisecond), "m", "requests")
	require.Equal(t, int64(49), l.Remaining, "ten were sent after it")
	last.Learn(start.Add(20*time.Millisecond), learned(60, 20, 40*time.Second))
	first.Learn(start.Add(30*time.Millisecond), learned(60, 59, time.Second))
	l, _ = roomOf(a, start.Add(30*time.Millisecond), "m", "requests")
	require.Equal(t, int64(20), l.Remaining, "the response to an earlier request came late")
	(&AccountPermit{account: a, model: "m"}).Learn(start.Add(40*time.Millisecond), learned(60, 3, 57*time.Second))
	l, _ = roomOf(a, start.Add(40*time.Millisecond), "m", "requests")
	require.Equal(t, int64(3), l.Remaining, "of which nobody knows when it was sent")
}

func TestAccountLearnsNoNonsense(t *testing.T) {
	for _, l := range []fault.Allowance{
		{Limit: 0, Remaining: 0, Reset: time.Hour}, {Limit: -1, Remaining: -1, Reset: time.Hour}, {Limit: 1e18, Remaining: 5, Reset: time.Second},
		{Limit: 10, Remaining: 11, Reset: time.Second}, {Limit: 10, Remaining: 0, Reset: 1000 * time.Hour}, {Limit: 10, Remaining: 0, Reset: math.MaxInt64},
		{Limit: -1, Remaining: 7, Reset: time.Hour},
	} {
		a := account(t, nil)
		l.Dimension = "requests"
		permit, _ := a.take(start, "m", Use{})
		permit.Learn(start, []fault.Allowance{l, {Dimension: "images", Limit: 1, Remaining: 0, Reset: time.Hour}})
		require.Empty(t, a.Allowances(start, "m"), "%+v", l)
		require.Equal(t, 10_000, burst(a, start, "m", Use{}), "%+v", l)
	}
}

func TestAccountNeverStopsForGood(t *testing.T) {
	a := account(t, nil)
	permit, _ := a.take(start, "m", Use{})
	permit.Learn(start, learned(10, 0, 24*time.Hour))
	permit.LearnRefusal(start, 48*time.Hour)
	_, wait := a.take(start, "m", Use{})
	require.Equal(t, time.Minute, wait)
	now := start.Add(wait)
	require.Equal(t, 1, burst(a, now, "m", Use{}), "one, to ask again")
	permit, wait = a.take(now.Add(time.Minute), "m", Use{})
	require.Zero(t, wait)
	now = now.Add(time.Minute)
	permit.Learn(now, learned(1000, 900, 6*time.Second))
	permit.LearnRefusal(now, 5*time.Second)
	require.Equal(t, 0, burst(a, now.Add(4*time.Second), "m", Use{}), "asked to wait")
	require.NotZero(t, burst(a, now.Add(5*time.Second), "m", Use{}))
}

func TestAccountSettles(t *testing.T) {
	a := account(t, &AccountOptions{Tokens: Rate{N: 600, Per: time.Minute}})
	permit, wait := a.take(start, "m", Use{300, 300})
	require.Zero(t, wait)
	_, wait = a.take(start, "m", Use{1, 0})
	require.Equal(t, 100*time.Millisecond, wait)
	permit.Settle(start, Use{100, 100})
	_, wait = a.take(start, "m", Use{200, 200})
	require.Zero(t, wait)
	permit.Settle(start, Use{math.NaN(), math.Inf(1)})
	_, wait = a.take(start.Add(time.Hour), "m", Use{1e6, 0})
	require.LessOrEqual(t, wait, time.Minute)
	_, err := NewAccount(&AccountOptions{Requests: Rate{N: -1, Per: 1}})
	require.ErrorIs(t, err, ErrOption)
}

// A caller that names a hundred thousand models doesn't fill the memory.
func TestAccountForgetsModels(t *testing.T) {
	a := account(t, nil)
	for i := range 3 * maxModels {
		a.take(start.Add(time.Duration(i)), strconv.Itoa(i), Use{})
	}
	require.Len(t, a.models, maxModels)
	require.Contains(t, a.models, strconv.Itoa(3*maxModels-1))
}

// server is a provider's bucket: n requests at once, n a second; beyond that it
// refuses, and a refusal takes cost of the bucket.
type server struct {
	n, level, cost float64
	at             time.Time
	refused        int
}

func (s *server) ask(now time.Time) (ok bool, reset time.Duration) {
	s.level = min(s.n, s.level+s.n*now.Sub(s.at).Seconds())
	s.at = now
	if ok = s.level >= 1; ok {
		s.level--
	} else {
		s.refused++
		s.level = max(-s.n, s.level-s.cost)
	}
	return ok, time.Duration((s.n - s.level) / s.n * float64(time.Second))
}

// Processes that share a key, and could each use all of it, together get most of
// it, in about equal parts, and are seldom refused. They learn by headers, or by
// status 429 alone.
func TestAccountsShare(t *testing.T) {
	for _, headers := range []bool{true, false} {
		for _, processes := range []int{1, 4, 16} {
			for _, cost := range []float64{0, 0.5} {
				s := &server{n: 100, level: 100, at: start, cost: cost}
				accounts := make([]*Account, processes)
				for i := range accounts {
					accounts[i] = account(t, nil)
				}
				type response struct {
					at     time.Time
					who    int
					permit AccountPermit
					ok     bool
					limits []fault.Allowance
				}
				var flying []response
				got := make([]float64, processes)
				const seconds = 120
				for ms := range seconds * 1000 {
					now := start.Add(time.Duration(ms) * time.Millisecond)
					for len(flying) > 0 && !flying[0].at.After(now) {
						r := flying[0]
						flying = flying[1:]
						if headers {
							r.permit.Learn(now, r.limits)
						}
						if !r.ok {
							r.permit.LearnRefusal(now, 0)
						}
					}
					for k := range processes {
						who := (k + ms) % processes
						for range ms % 5 / 4 { // 200 a second each
							permit, wait := accounts[who].take(now, "m", Use{})
							if wait > 0 {
								break
							}
							ok, reset := s.ask(now)
							if ok && ms >= 30_000 {
								got[who]++
							}
							flying = append(flying, response{now.Add(200 * time.Millisecond), who, permit, ok, learned(int64(s.n), int64(max(0, s.level)), reset)})
						}
					}
				}
				total, least, most := 0.0, math.Inf(1), 0.0
				for _, g := range got {
					total, least, most = total+g, min(least, g), max(most, g)
				}
				sent := 0
				for _, a := range accounts {
					sent += int(a.models["m"].taken[0])
				}
				require.Greater(t, total, 0.95*s.n*(seconds-30))
				require.Less(t, s.refused*10, sent)
				require.Greater(t, least, total/float64(processes)/10, "nobody starves")
				t.Logf("headers %v, %d processes, cost %v: %.0f %% of the rate, least %.0f, most %.0f, %d refused", headers, processes, cost, total/s.n/(seconds-30)*100, least, most, s.refused)
			}
		}
	}
}
