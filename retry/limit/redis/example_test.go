package redis_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/limit"
	limitredis "github.com/prodailabs/prodai/retry/limit/redis"
)

// Ten processes that run this share one limit of two requests an hour. The client's
// timeouts are short, because a limiter that waits for Redis is an outage. If no
// server is running, each process keeps the limit for itself, and the output is the
// same. limit.Options.RefuseOnStoreFailure chooses that.
func Example() {
	server, err := redis.ParseURL(cmp.Or(os.Getenv("REDIS_URL"), "redis://localhost:6379/0"))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.DialTimeout, server.ReadTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.MaxRetries, server.DialerRetries = -1, 1
	client := redis.NewClient(server)
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
		Quota:  limit.Quota{Requests: limit.Rate{N: 2, Per: time.Hour}},
		Store:  store,
		Prefix: fmt.Sprintf("{example-%d}", time.Now().UnixNano()), // one slot of a cluster; a run of its own
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
