package redis_test

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
	queueredis "github.com/prodailabs/prodai/retry/queue/redis"
)

// Only the store differs from a queue with a journal. Each machine runs this program,
// and each job runs on one of them.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	store, err := queueredis.New(client, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := queue.New(store, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	embed, err := queue.NewKind[string, int]("embed", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	worker, err := queue.NewWorker(q, []queue.Handler{
		embed.Handler(func(_ context.Context, address string) (int, error) { return len(address), nil }),
	}, &queue.WorkerOptions{Lanes: []queue.Lane{{Queue: "urgent", Weight: 3}, {Queue: "default", Weight: 1}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(worker.Run(context.Background()))
}
