package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/limit"
	limitredis "github.com/prodailabs/prodai/retry/limit/redis"
)

// Ten processes that run this share one limit of 60 requests a minute. The
// client's timeouts are short: a limiter that waits for Redis is an outage.
// The Example needs a server, so it is compiled and not run.
func Example() {
	client := redis.NewClient(&redis.Options{
		Addr: "localhost:6379", DialTimeout: 50 * time.Millisecond, ReadTimeout: 50 * time.Millisecond, MaxRetries: -1,
	})
	defer client.Close()
	store, err := limitredis.New(client)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("hello")}} // any llms.Model
	model, err := limit.New(provider, &limit.Options{
		Quota:  limit.Quota{Requests: limit.Rate{N: 60, Per: time.Minute}},
		Store:  store,
		Prefix: "{limit}", // one slot of a cluster
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Call(context.Background(), "hello"))
}
