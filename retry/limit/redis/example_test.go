package redis_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/limit"
	limitredis "github.com/prodailabs/prodai/retry/limit/redis"
)

// Ten processes that run this share one limit of two requests an hour. The client's
// timeouts are short, because a limiter that waits for Redis is an outage. Here no server
// listens, so each process keeps the limit for itself. limit.Options.RefuseOnStoreFailure
// refuses instead.
func Example() {
	client := redis.NewClient(&redis.Options{
		Addr:        "127.0.0.1:1",
		DialTimeout: 50 * time.Millisecond, ReadTimeout: 50 * time.Millisecond,
		MaxRetries: -1, DialerRetries: 1,
	})
	defer client.Close()
	store, err := limitredis.New(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	hello := modeltest.Say("hello")
	hello.Times = -1
	provider := &modeltest.Script{Turns: []modeltest.Turn{hello}} // any llms.Model
	model, err := limit.New(provider, &limit.Options{
		Quota: limit.Quota{Requests: limit.Rate{N: 2, Per: time.Hour}},
		Store: store,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		answer, err := model.Call(context.Background(), "hello")
		var e *limit.Error
		if errors.As(err, &e) {
			fmt.Println("refused:", e.Dimension)
			continue
		}
		fmt.Println(answer, err)
	}
	// Output:
	// hello <nil>
	// hello <nil>
	// refused: requests
}
