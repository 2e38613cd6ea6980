package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	store "github.com/prodailabs/prodai/cache/redis"
)

type desk struct{}

func (desk) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Within 30 days.", StopReason: "stop"}}}, nil
}

func (desk) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

// Redis that is down never fails a call: here no server listens.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1,
		DialTimeout: 100 * time.Millisecond})
	defer func() { _ = client.Close() }()
	answers, err := store.New(client, &store.Options{Prefix: "shop:"})
	if err != nil {
		fmt.Println(err)
		return
	}
	cached, err := cache.New(desk{}, &cache.Options{Model: "desk-1", Store: answers})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cached.Call(context.Background(), "When can I return it?"))
	fmt.Println("errors of the store counted:", cached.Stats().StoreErrors > 0)
	// Output:
	// Within 30 days. <nil>
	// errors of the store counted: true
}
