// Lab08-ratelimit shows a limit from both sides: the headers that a server
// sends, a client that learns from them, and how a shared limit is divided
// between a noisy and a quiet tenant. No network is used.
//
//	go run ./examples/lab08-ratelimit
//	go run ./examples/lab08-ratelimit -weight 1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab08-ratelimit:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab08-ratelimit", flag.ContinueOnError)
	f.SetOutput(errs)
	weight := f.Float64("weight", 3, "the paying tenant's weight; the free one's is 1")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err := server(out); err != nil {
		return err
	}
	if err := learning(out); err != nil {
		return err
	}
	if err := tenants(out, *weight); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, next)
	return err
}

const next = `
What to notice: the fourth request is refused with the time to wait, and is served after it. A client
that reads the headers is never refused, gets as much through as one that asks all the time, and
follows a new plan by itself. 40 free callers get no more than their tenant's share.
What to try: -weight 1; a client that ignores Retry-After.
What to read: the notes of retry/limit and retry/admission.
`

// A site is a handler that limits requests, on a clock of its own.
type site struct {
	http.Handler
	now time.Time
}

func newSite(r limit.Rate) (*site, error) {
	s := &site{now: time.Unix(1_790_000_000, 0)}
	return s, s.limitTo(r)
}

func (s *site) limitTo(r limit.Rate) (err error) {
	s.Handler, err = limit.NewHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), r,
		&limit.HandlerOptions{Store: &limit.Memory{Now: func() time.Time { return s.now }}})
	return err
}

func (s *site) get() *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w
}

// server asks a handler of 3 requests per 6 s until it refuses, and then waits as
// long as it asks for.
func server(out io.Writer) error {
	s, err := newSite(limit.Rate{N: 3, Per: 6 * time.Second})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "3 requests per 6 s, asked as fast as possible:")
	for i := range 5 {
		r := s.get()
		fmt.Fprintf(out, "  request %d  status %d  remaining %s, full again in %s", i+1, r.Code,
			r.Header().Get("x-ratelimit-remaining-requests"), r.Header().Get("x-ratelimit-reset-requests"))
		if r.Code == http.StatusTooManyRequests {
			fmt.Fprintf(out, ", Retry-After %s\n  … 2 s later", r.Header().Get("Retry-After"))
			s.now = s.now.Add(2 * time.Second)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// learning lets clients send 20 requests a second to a server of 30 requests per 6
// s, whose limit they don't know.
func learning(out io.Writer) error {
	fmt.Fprintln(out, "\n20 requests a second for a minute, to a server of 30 per 6 s with another limit after that:")
	for _, c := range []struct {
		name            string
		learns, headers bool
	}{{"knows nothing", false, false}, {"learns by refusals", true, false}, {"reads the headers", true, true}} {
		s, err := newSite(limit.Rate{N: 30, Per: 6 * time.Second})
		if err != nil {
			return err
		}
		account, err := limit.NewAccount(nil)
		if err != nil {
			return err
		}
		minute := func() (passed, refused int) {
			for range 60 * 20 {
				s.now = s.now.Add(time.Second / 20)
				permit, err := account.TryAcquire(s.now, "m", limit.Use{})
				if err != nil && c.learns {
					continue // a client with a deadline would wait
				}
				r := s.get()
				outcome := admission.OutcomeHealthy
				if c.headers {
					permit.Learn(s.now, fault.ParseAllowances(r.Header(), s.now))
				}
				if r.Code == http.StatusTooManyRequests {
					refused++
					outcome = admission.OutcomeThrottled
					asked, _ := fault.RetryAfter(r.Header(), s.now)
					permit.LearnRefusal(s.now, asked)
				} else {
					passed++
				}
				permit.Done(s.now, outcome)
			}
			return passed, refused
		}
		passed, refused := minute()
		fmt.Fprintf(out, "  %-18s  %3d passed, %3d refused%s\n", c.name, passed, refused, known(account, s.now))
		if !c.headers {
			continue
		}
		for _, r := range []limit.Rate{{N: 60, Per: 6 * time.Second}, {N: 10, Per: 6 * time.Second}} {
			if err := s.limitTo(r); err != nil {
				return err
			}
			passed, refused = minute()
			fmt.Fprintf(out, "  … a plan of %2.0f:     %3d passed, %3d refused%s\n", r.N, passed, refused, known(account, s.now))
		}
	}
	return nil
}

func known(a *limit.Account, now time.Time) string {
	for _, l := range a.Allowances(now, "m") {
		if l.Dimension == "requests" {
			return fmt.Sprintf(", learned: %d, %d of them left", l.Limit, l.Remaining)
		}
	}
	return ""
}

type tenantKey struct{}

// echo counts the answers of each tenant.
type echo struct {
	mu  sync.Mutex
	got map[string]int
}

func (e *echo) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got[ctx.Value(tenantKey{}).(string)]++
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok"}}}, nil
}

func (e *echo) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, e, prompt, o...)
}

// tenants lets a noisy free tenant with 40 callers and a paying one with 8
// share 400 requests a second for a second.
func tenants(out io.Writer, weight float64) error {
	next := &echo{got: map[string]int{}}
	m, err := limit.New(next, &limit.Options{
		Tenant:  func(ctx context.Context) string { return ctx.Value(tenantKey{}).(string) },
		Tenants: map[string]limit.Quota{"paying": {Weight: weight}, "free": {Weight: 1}},
		Shared:  limit.Quota{Requests: limit.Rate{N: 400, Per: time.Second, Burst: 1}},
		Wait:    time.Minute,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for tenant, callers := range map[string]int{"free": 40, "paying": 8} {
		for range callers {
			wg.Go(func() {
				for ctx.Err() == nil {
					if _, err := m.Call(context.WithValue(ctx, tenantKey{}, tenant), "hi"); err != nil {
						return
					}
				}
			})
		}
	}
	wg.Wait()
	total := next.got["paying"] + next.got["free"]
	fmt.Fprintf(out, "\n400 requests a second, shared by weight (%g to 1), 8 paying and 40 free callers:\n", weight)
	for _, tenant := range []string{"paying", "free"} {
		fmt.Fprintf(out, "  %-7s %4.0f %%\n", tenant, 100*float64(next.got[tenant])/float64(max(total, 1)))
	}
	return nil
}
