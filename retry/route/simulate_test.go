package route

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/retry/admission"
)

// TestSlowReplica: eight replicas with four slots each, of which one answers five
// times as slowly, at 70 % of their joint capacity. The 99th percentile of the
// default balance is within 10 % of the best of the simple ones.
func TestSlowReplica(t *testing.T) {
	if race.Enabled {
		t.Skip("it has one goroutine, and takes long under the race detector")
	}
	p99 := map[Balance]time.Duration{}
	for _, b := range []Balance{BalanceEWMA, BalanceP2C, BalanceLeast, BalanceRandom} {
		var all []time.Duration
		for seed := range uint64(3) {
			all = append(all, simulate(t, b, seed)...)
		}
		slices.Sort(all)
		p99[b] = all[len(all)*99/100]
		t.Logf("%-8v p50 %v  p99 %v", b, all[len(all)/2].Round(time.Millisecond), p99[b].Round(time.Millisecond))
	}
	best := min(p99[BalanceP2C], p99[BalanceLeast], p99[BalanceEWMA])
	require.LessOrEqual(t, p99[BalanceEWMA].Seconds(), 1.1*best.Seconds())
	require.Greater(t, p99[BalanceRandom].Seconds(), 2*p99[BalanceEWMA].Seconds())
}

// simulate returns the latencies of 20,000 calls in virtual time.
func simulate(t *testing.T, b Balance, seed uint64) (latencies []time.Duration) {
	const replicas, slots, calls = 8, 4, 20_000
	r := rand.New(rand.NewPCG(seed, 5))
	p := newPool(t, names(replicas), &Options{Balance: b, Rand: rand.New(rand.NewPCG(seed, 6))})
	mean := func(i int) float64 {
		if i == 0 {
			return 5
		}
		return 1
	}
	capacity := (replicas-1)*slots + slots/5.0
	now := p.start.Add(time.Second)
	var events queue
	busy := make([]int, replicas)
	waiting := make([][]*simCall, replicas)
	begin := func(c *simCall) {
		busy[c.at]++
		c.ends = now.Add(time.Duration(mean(c.at) * r.ExpFloat64() * float64(time.Second)))
		heap.Push(&events, c)
	}
	next := now
	for made := 0; made < calls || len(events) > 0; {
		if made < calls && (len(events) == 0 || next.Before(events[0].ends)) {
			now = next
			made++
			next = now.Add(time.Duration(r.ExpFloat64() / (0.7 * capacity) * float64(time.Second)))
			k, err := p.TryAcquire(now, Request{Tokens: 200})
			require.NoError(t, err)
			c := &simCall{pick: k, at: k.Target(), came: now}
			if busy[c.at] < slots {
				begin(c)
			} else {
				waiting[c.at] = append(waiting[c.at], c)
			}
			continue
		}
		c := heap.Pop(&events).(*simCall)
		now = c.ends
		busy[c.at]--
		c.pick.Done(now, admission.OutcomeHealthy)
		latencies = append(latencies, now.Sub(c.came))
		if w := waiting[c.at]; len(w) > 0 {
			waiting[c.at] = w[1:]
			begin(w[0])
		}
	}
	return latencies
}

type simCall struct {
	pick       Pick
	at         int
	came, ends time.Time
}

type queue []*simCall

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].ends.Before(q[j].ends) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*simCall)) }
func (q *queue) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}
