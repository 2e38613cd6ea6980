package limit

import (
	"time"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

// An AccountPermit is an [Account]'s leave to make one call. The account learns
// from the call through its methods, in any order, before the permit is ended: by
// Learn from the headers of a response, by LearnRefusal from a status 429, by
// Settle from the tokens that were used. The methods of the zero AccountPermit do
// nothing, and after its end those of any other do nothing.
type AccountPermit struct {
	account *Account
	model   string
	use     Use
	at      time.Time // when the call was admitted; zero: that isn't known
	taken   [len(allowances)]float64
	refused bool
}

// Done ends a call that was made. [admission.OutcomeThrottled] counts as
// LearnRefusal without a wait, unless that was called; from the other outcomes
// nothing is learned.
func (p *AccountPermit) Done(now time.Time, o admission.Outcome) {
	if o == admission.OutcomeThrottled && !p.refused {
		p.LearnRefusal(now, 0)
	}
	*p = AccountPermit{}
}

// Cancel gives back the room of a call that was not made.
func (p *AccountPermit) Cancel(now time.Time) {
	a := p.account
	if a == nil || p.at.IsZero() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m, _ := a.of(p.model, now)
	// What was taken stays counted in m.taken. Learn finds there how much was sent
	// after a response's request. Too much is safe, and the next response corrects it.
	for i := range m.rooms {
		m.rooms[i].level = min(m.rooms[i].limit, m.rooms[i].level+p.use.of(i))
	}
	m.pace.cancel(p.at)
	m.news()
	*p = AccountPermit{}
}

// Learn learns the account's limits from the response to the call (see
// [fault.ParseAllowances] and fault.Error.Allowances).
func (p *AccountPermit) Learn(now time.Time, limits []fault.Allowance) {
	a := p.account
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m, now := a.of(p.model, now)
	m.hear(now)
	sent := *p
	if p.at.IsZero() || p.taken[0] > m.taken[0] { // the model was forgotten while the call was in progress
		sent.at, sent.taken = now, m.taken
	}
	// Of two responses the one whose request was sent later knows more.
	newer := sent.taken[0] >= m.newest
	for i, name := range allowances {
		for _, l := range limits {
			if l.Dimension == name && credible(l) {
				m.learn(i, l, now, &sent, newer)
			}
		}
	}
	if newer {
		m.newest = sent.taken[0]
	}
}

// LearnRefusal learns that the provider had no room for the call (status 429), and
// how long it asked to wait.
func (p *AccountPermit) LearnRefusal(now time.Time, asked time.Duration) {
	a := p.account
	if a == nil {
		return
	}
	p.refused = true
	a.mu.Lock()
	defer a.mu.Unlock()
	m, now := a.of(p.model, now)
	m.hear(now)
	if until := now.Add(min(asked, maxSilent)); until.After(m.pause) {
		m.pause = until
	}
	sent := p.at
	if sent.IsZero() {
		sent = now
	}
	m.pace.refuse(now, sent)
}

// Settle corrects the estimate by what the call really used: more goes into debt,
// less comes back. Where the provider's headers report the level, they count
// instead.
func (p *AccountPermit) Settle(now time.Time, used Use) {
	a := p.account
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m, now := a.of(p.model, now)
	m.hear(now)
	used = used.sane()
	for i := range m.rooms {
		if r := &m.rooms[i]; !r.told {
			r.level = min(r.limit, r.level+p.use.of(i)-used.of(i))
		}
	}
}
