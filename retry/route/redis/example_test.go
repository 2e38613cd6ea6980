package redis_test

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/route"
	"github.com/prodailabs/prodai/retry/route/redis"
)

// Redis that is down stops no rollout: each replica goes on with its own results. Here no
// server listens.
func Example() {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = client.Close() }()
	store, err := redis.New(client, &redis.Options{Prefix: "shop:"})
	if err != nil {
		panic(err)
	}
	canary, err := route.NewCanary(&route.CanaryOptions{Version: "v2", Store: store})
	if err != nil {
		panic(err)
	}
	for range 3 {
		canary.Record(route.VersionCanary, route.JudgmentFailed, time.Millisecond)
	}
	fmt.Println("shared:", canary.Sync(context.Background()) == nil)
	fmt.Println(canary.State().Phase)
	// Output:
	// shared: false
	// failed
}
