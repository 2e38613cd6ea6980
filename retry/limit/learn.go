package limit

import (
	"math"
	"net/http"
	"time"

	"github.com/prodailabs/prodai/retry"
)

// Learn takes away what the provider says is no longer there: after a response
// whose headers (see [retry.ParseAllowances]) leave fewer requests than the
// bucket holds, it holds no more than those. Another process may have used the account.
//
// It only tightens. A response that promises more may be older than the calls
// under way, and gives nothing; the bucket refills at its own rate whatever the
// header says of a reset. Dimensions other than "requests" are not looked at,
// and a bucket of rate.Inf learns nothing.
func (b *Bucket) Learn(h http.Header, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now = b.now(now)
	for _, a := range retry.ParseAllowances(h, now) {
		if a.Dimension != "requests" || a.Remaining < 0 {
			continue
		}
		if surplus := math.Ceil(b.lim.TokensAt(now) - float64(a.Remaining)); surplus > 0 {
			b.lim.ReserveN(now, int(min(surplus, float64(b.lim.Burst()))))
		}
	}
}

// A Learner is an http.RoundTripper whose Bucket learns from every response.
// Give it to the HTTP client of a provider whose bucket is a retry.Options's
// Limiter. It changes nothing that the client sees.
type Learner struct {
	Base   http.RoundTripper // nil means http.DefaultTransport
	Bucket *Bucket           // nil learns nothing
}

// RoundTrip implements http.RoundTripper.
func (l *Learner) RoundTrip(req *http.Request) (*http.Response, error) {
	base := l.Base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(req)
	if err == nil && l.Bucket != nil {
		l.Bucket.Learn(resp.Header, time.Now())
	}
	return resp, err
}
