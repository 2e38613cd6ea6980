package limit

import "time"

// A pace finds out from refusals how many requests a second are accepted.
//
// It searches as TCP does. It goes down at a refusal, at most by half for all calls
// that were sent before it. It goes up slowly while calls wait for it. But a rate
// limiter shows more than a full router: what it accepts in a second in which it
// refuses is its rate. So the way down ends just below that rate.
type pace struct {
	rate  float64   // requests a second; 0: no limit found yet
	level float64   // what may be sent now
	base  float64   // the rate before the last cut
	cut   time.Time // calls sent after it may cut again

	began         time.Time         // of the first interval
	now           int64             // the number of this one
	sent, refused [paceKept]float64 // in each of the last intervals, by when the call was sent
	waited, hit   bool              // in this interval a call waited for the pace, one was refused
}

const (
	paceInterval = time.Second
	paceKept     = 8
	paceCut      = 0.9  // of what was accepted
	paceGrowth   = 1.03 // an interval
	paceFloor    = 1. / 60
)

// advance moves the clock to now, dt seconds on.
func (p *pace) advance(now time.Time, dt float64) {
	if p.began.IsZero() {
		p.began = now
	}
	p.level = min(max(1, p.rate/4), p.level+p.rate*dt)
	n := int64(now.Sub(p.began) / paceInterval)
	if n == p.now {
		return
	}
	if p.waited && !p.hit {
		p.rate *= paceGrowth
	}
	p.waited, p.hit = false, false
	for i := max(p.now, n-paceKept) + 1; i <= n; i++ {
		p.sent[i%paceKept], p.refused[i%paceKept] = 0, 0
	}
	p.now = n
}

func (p *pace) wait() time.Duration {
	if p.rate == 0 {
		return 0
	}
	return until(1-p.level, p.rate)
}

func (p *pace) take() {
	if p.rate > 0 {
		p.level--
	}
	p.sent[p.now%paceKept]++
}

// cancel removes a call that was admitted at the time at and not sent.
func (p *pace) cancel(at time.Time) {
	if p.rate > 0 {
		p.level = min(max(1, p.rate/4), p.level+1)
	}
	if k := int64(at.Sub(p.began) / paceInterval); k >= 0 && k > p.now-paceKept && k <= p.now {
		p.sent[k%paceKept] = max(0, p.sent[k%paceKept]-1)
	}
}

// refuse counts a refusal of a call that was sent at the time sent.
func (p *pace) refuse(now, sent time.Time) {
	p.hit = true
	k := max(int64(sent.Sub(p.began)/paceInterval), p.now-paceKept+2, 0)
	this, before := k%paceKept, (k+paceKept-1)%paceKept
	p.refused[this]++
	seconds := 1 + min(1, now.Sub(p.began).Seconds()-float64(k))
	asked := p.sent[this] + p.sent[before]
	if p.rate == 0 || sent.After(p.cut) {
		if p.base = p.rate; p.rate == 0 {
			p.rate = max(asked, 1) / seconds
			p.base = p.rate
		}
		p.cut, p.level = now, min(p.level, 0)
	}
	accepted := paceCut * (asked - p.refused[this] - p.refused[before]) / seconds
	p.rate = max(min(p.rate, accepted), p.base/2, paceFloor)
}
