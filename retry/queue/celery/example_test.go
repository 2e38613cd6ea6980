package celery_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
	"github.com/prodailabs/prodai/retry/queue/celery"
)

// A Go program sends a task to a Celery worker, which has
//
//	@app.task(name="docs.summarize")
//	def summarize(address, words=100): …
//
// and reads the result.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	store, err := celery.New(client, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := queue.New(store, &queue.Options{NewID: celery.NewID})
	if err != nil {
		fmt.Println(err)
		return
	}
	summarize, err := queue.NewKind[celery.Call, string]("docs.summarize", &queue.KindOptions{Queue: "celery"})
	if err != nil {
		fmt.Println(err)
		return
	}
	call, err := celery.Args("s3://docs/manual.pdf")
	if err != nil {
		fmt.Println(err)
		return
	}
	if call, err = call.With("words", 50); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	id, err := summarize.Enqueue(ctx, q, call, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(summarize.Result(ctx, q, id))
}
