package stats

import "sync"

// drawn is how many resamples a goroutine draws at a time: enough to make the
// distribution of tasks cheap, and few enough to stay in the processor's cache.
const drawn = 8

// drawInOrder draws the given number of resamples of n as counts and calls use with
// each, on several goroutines but from one stream. Resample i is the same as if one
// goroutine read the stream from the start.
//
// A stream of this kind can skip forward in a short time, except that Lemire's
// method rejects about one draw in 2³²/n, which moves all later ones. So every
// goroutine starts where the stream is if nothing was rejected before. When the
// goroutines before it are done, it compares that place with the real one. In the
// rare case that they differ it draws again.
func drawInOrder(g *Generator, n, samples, workers int, use func(sample, worker int, counts []uint16)) {
	tasks := (samples + drawn - 1) / drawn
	draws := uint64(drawn * n) // of each task except the last
	if n == 1 {
		draws = 0 // a range of one value takes nothing from the stream
	}
	var (
		team     team
		mu       sync.Mutex
		advanced = sync.NewCond(&mu)
		next     int  // the task to hand out
		guess    = *g // where the stream probably is at its start
		certain  int  // the task before which all draws are done
		stream   = *g // where the stream is at its start
	)
	for w := range workers {
		team.start(func() {
			counts := make([]uint16, drawn*n)
			fill := func(from Generator, resamples int) (end Generator) {
				clear(counts)
				for k := range resamples {
					from.countDraws(counts[k*n : (k+1)*n])
				}
				return from
			}
			for {
				mu.Lock()
				task, start := next, guess
				if task >= tasks || team.broken() {
					mu.Unlock()
					return
				}
				next++
				guess.skip(draws)
				mu.Unlock()

				resamples := min(drawn, samples-task*drawn)
				end := fill(start, resamples)

				mu.Lock()
				for certain != task {
					advanced.Wait()
				}
				if !start.at(&stream) {
					from := stream // no other goroutine writes it before certain moves on
					mu.Unlock()
					end = fill(from, resamples)
					mu.Lock()
				}
				stream, certain = end, task+1
				guess = stream
				guess.skip(draws * uint64(next-certain))
				advanced.Broadcast()
				mu.Unlock()

				for k := range resamples {
					use(task*drawn+k, w, counts[k*n:(k+1)*n])
				}
			}
		})
	}
	team.wait()
	*g = stream
}

// at reports whether both generators are at the same place of the same stream.
func (g *Generator) at(other *Generator) bool {
	return g.hi == other.hi && g.lo == other.lo && g.hasHalf == other.hasHalf && (!g.hasHalf || g.half == other.half)
}

// skip moves on by a number of 32-bit draws, in time logarithmic in it: n steps
// of a congruence are one step of another, found by squaring (Brown, "Random
// Number Generation with Arbitrary Strides", 1994).
func (g *Generator) skip(draws uint64) {
	if draws > 0 && g.hasHalf {
		g.hasHalf = false
		draws--
	}
	addHi, addLo := uint64(0), uint64(0)
	mHi, mLo := uint64(0), uint64(1)
	stepHi, stepLo, byHi, byLo := uint64(mulHi), uint64(mulLo), g.incHi, g.incLo
	for words := draws / 2; words > 0; words /= 2 {
		if words%2 == 1 {
			mHi, mLo = mul128(mHi, mLo, stepHi, stepLo)
			addHi, addLo = madd128(addHi, addLo, stepHi, stepLo, byHi, byLo)
		}
		byHi, byLo = madd128(byHi, byLo, stepHi, stepLo, byHi, byLo) // (step+1)·by
		stepHi, stepLo = mul128(stepHi, stepLo, stepHi, stepLo)
	}
	g.hi, g.lo = madd128(g.hi, g.lo, mHi, mLo, addHi, addLo)
	if draws%2 == 1 {
		g.Uint32()
	}
}
