package main

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/route"
)

// The made-up numbers of the lab.
const (
	slots       = 16
	machineHour = 2.50
	apiCall     = 0.002
	machineMean = 2.0
	apiMean     = 1.5
)

// A result is a day of one setup.
type result struct {
	p50, p99, longest time.Duration
	managed           float64 // share of the calls
	dollars           float64
}

// targets returns replicas of a machine.
func targets(n int, m llms.Model, spill int) []route.Target {
	var out []route.Target
	for i := range n {
		out = append(out, route.Target{Name: fmt.Sprint("machine ", i+1), Model: m, SpillAt: spill, Free: true})
	}
	return out
}

// A call in progress, or waiting at its machine.
type call struct {
	pick       route.Pick
	came, ends time.Duration
}

// simulate sends a day of calls, each as the pool chooses, and returns how it went.
// A machine answers 16 calls at once; others wait there.
func simulate(machines int, api bool, spill int) (result, error) {
	list := targets(machines, silent{}, spill)
	if api {
		list = append(list, route.Target{Name: "api", Model: silent{}, Tier: 1})
	}
	p, err := route.NewPool(list, &route.Options{Rand: rand.New(rand.NewPCG(1, 1))})
	if err != nil {
		return result{}, err
	}
	r := rand.New(rand.NewPCG(7, 7))
	start := time.Now()
	busy, waiting := make([]int, machines), make([][]*call, machines)
	var running events
	var took []time.Duration
	toAPI := 0
	now, next := time.Second, time.Second
	begin := func(c *call, mean float64) {
		c.ends = now + time.Duration(mean*r.ExpFloat64()*float64(time.Second))
		heap.Push(&running, c)
	}
	for now < 24*time.Hour || len(running) > 0 {
		if next < 24*time.Hour && (len(running) == 0 || next < running[0].ends) {
			now = next
			next += time.Duration(r.ExpFloat64() / rate(now) * float64(time.Second))
			k, err := p.TryAcquire(start.Add(now), route.Request{Tokens: 500})
			if err != nil {
				return result{}, err
			}
			c := &call{pick: k, came: now}
			switch i := k.Target(); {
			case i >= machines:
				toAPI++
				begin(c, apiMean)
			case busy[i] < slots:
				busy[i]++
				begin(c, machineMean)
			default:
				waiting[i] = append(waiting[i], c)
			}
			continue
		}
		if len(running) == 0 {
			break
		}
		c := heap.Pop(&running).(*call)
		now = c.ends
		c.pick.Done(start.Add(now), admission.OutcomeHealthy)
		took = append(took, now-c.came)
		if i := c.pick.Target(); i < machines {
			busy[i]--
			if w := waiting[i]; len(w) > 0 {
				waiting[i] = w[1:]
				busy[i]++
				begin(w[0], machineMean)
			}
		}
	}
	slices.Sort(took)
	return result{
		p50: took[len(took)/2], p99: took[len(took)*99/100], longest: took[len(took)-1], managed: float64(toAPI) / float64(len(took)),
		dollars: 24*machineHour*float64(machines) + apiCall*float64(toAPI),
	}, nil
}

// rate is how many calls a second come at a time of day: 2 at midnight, 18 at noon.
func rate(now time.Duration) float64 {
	day := math.Sin(math.Pi * now.Hours() / 24)
	return 2 + 16*day*day*day*day
}

// events is a heap of calls by their end.
type events []*call

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].ends < e[j].ends }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(*call)) }
func (e *events) Pop() any {
	old := *e
	c := old[len(old)-1]
	*e = old[:len(old)-1]
	return c
}
