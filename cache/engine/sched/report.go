package sched

import (
	"math"
	"slices"
	"time"
)

// TTFT returns a percentile, from 0 to 100, of the time to the first token, from arrival.
// It is the smallest time that no fewer than so many per cent of the jobs don't exceed.
func (r *Result) TTFT(percentile float64) time.Duration {
	return r.percentile(percentile, func(j *Job) (time.Duration, bool) { return j.First - j.Arrival, j.First >= 0 })
}

// TPOT returns a percentile of the time per output token after the first.
func (r *Result) TPOT(percentile float64) time.Duration {
	return r.percentile(percentile, func(j *Job) (time.Duration, bool) {
		n := len(j.Generated) - 1
		if j.End < 0 || n < 1 {
			return 0, false
		}
		return (j.End - j.First) / time.Duration(n), true
	})
}

// Gap returns a percentile of the longest pause in an answer.
func (r *Result) Gap(percentile float64) time.Duration {
	return r.percentile(percentile, func(j *Job) (time.Duration, bool) { return j.MaxGap, len(j.Generated) > 1 })
}

// Latency returns a percentile of the time from arrival to the end of the answer.
func (r *Result) Latency(percentile float64) time.Duration {
	return r.percentile(percentile, func(j *Job) (time.Duration, bool) { return j.End - j.Arrival, j.End >= 0 })
}

func (r *Result) percentile(p float64, of func(*Job) (time.Duration, bool)) time.Duration {
	var all []time.Duration
	for _, j := range r.Jobs {
		if d, ok := of(j); ok {
			all = append(all, d)
		}
	}
	if len(all) == 0 || math.IsNaN(p) {
		return 0
	}
	slices.Sort(all)
	i := int(math.Ceil(min(max(p, 0), 100) / 100 * float64(len(all))))
	return all[max(i-1, 0)]
}

// Throughput is how many tokens of answers came in a second, until the last job ended.
func (r *Result) Throughput() float64 {
	n := 0
	for _, j := range r.Jobs {
		n += len(j.Generated)
	}
	if r.Makespan <= 0 {
		return 0
	}
	return float64(n) / r.Makespan.Seconds()
}

// StaticShare is the share of the slots of static batching that make a token, if batches
// are filled in order of arrival: the others wait for the longest answer of their batch.
// An incomplete last batch is left out. It is 0 if there is no complete batch.
func StaticShare(outputs []int, batch int) float64 {
	used, slots := 0, 0
	for ; batch > 0 && len(outputs) >= batch; outputs = outputs[batch:] {
		for _, n := range outputs[:batch] {
			used += n
		}
		slots += batch * slices.Max(outputs[:batch])
	}
	if slots == 0 {
		return 0
	}
	return float64(used) / float64(slots)
}
