// Command lab08-ratelimit shows a limit from both sides: the headers that a
// server sends, and how a shared limit is divided between a noisy and a quiet
// tenant. No network is used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/limit"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: lab08-ratelimit [-weight N]")
		flag.PrintDefaults()
	}
	weight := flag.Float64("weight", 3, "the paying tenant's weight; the free one's is 1")
	flag.Parse()
	if err := errors.Join(server(), tenants(*weight)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// server asks a handler of 3 requests per 6 s until it refuses, and then waits
// as it is told.
func server() error {
	now := time.Unix(1_790_000_000, 0)
	h, err := limit.Handler(http.NotFoundHandler(), limit.Rate{N: 3, Per: 6 * time.Second},
		&limit.HandlerOptions{Store: &limit.Local{Now: func() time.Time { return now }}})
	if err != nil {
		return err
	}
	fmt.Println("3 requests per 6 s, asked as fast as possible:")
	for i := range 5 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		verdict := "passed "
		if w.Code == http.StatusTooManyRequests {
			verdict = "refused"
		}
		fmt.Printf("  request %d %s  remaining %s, full again in %-3s Retry-After %s\n", i+1, verdict,
			w.Header().Get("x-ratelimit-remaining-requests"), w.Header().Get("x-ratelimit-reset-requests"), w.Header().Get("Retry-After"))
		if w.Code == http.StatusTooManyRequests {
			now = now.Add(2 * time.Second)
			fmt.Println("  … 2 s later")
		}
	}
	return nil
}

type tenantKey struct{}

// echo counts who was answered.
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
func tenants(weight float64) error {
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
	fmt.Printf("\n400 requests a second, shared by weight (%g to 1), 8 paying and 40 free callers:\n", weight)
	for _, tenant := range []string{"paying", "free"} {
		fmt.Printf("  %-7s %4.0f %%\n", tenant, 100*float64(next.got[tenant])/float64(max(total, 1)))
	}
	return nil
}
