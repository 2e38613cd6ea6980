package fault

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func FuzzHostileClassify(f *testing.F) {
	f.Add(200, `{"candidates":[]}`, "retry-after", "1e400")
	f.Add(429, `{"error":{"details":[{"retryDelay":"1e9999s"}]}}`, "x-ratelimit-reset-requests", "99999999999999999999h")
	f.Add(500, `[{"error":{"code":5,"message":{}}}]`, "ratelimit", `"a";r=-1;t=1e30, limit=1`)
	f.Add(200, "data: {\"error\":\n\n", "x-should-retry", "true")
	f.Fuzz(func(t *testing.T, status int, body, name, value string) {
		r := Response{Status: status, Body: []byte(body), Header: http.Header{http.CanonicalHeaderKey(name): {value}}}
		e := Classify(r, time.Unix(1e9, 0))
		if e == nil {
			return
		}
		if e.HasDelay && e.Delay < 0 {
			t.Fatalf("a wait of %v", e.Delay)
		}
		for _, l := range e.Allowances {
			if l.Reset < -1 || l.Limit < -1 || l.Remaining < -1 {
				t.Fatalf("%+v", l)
			}
		}
		_ = e.Error()
		_ = FromError(t.Context(), errors.New(body)).Error()
	})
}
