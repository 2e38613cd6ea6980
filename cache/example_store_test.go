package cache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
)

// A remote is a cache.Store over a key-value server that keeps bytes, as Redis
// does. Here the server is a map.
type remote struct {
	mu     sync.Mutex
	server map[string][]byte
}

func (r *remote) Get(_ context.Context, key cache.Key) (*cache.Entry, error) {
	r.mu.Lock()
	data, ok := r.server["answer:"+key.String()]
	r.mu.Unlock()
	if !ok {
		return nil, nil
	}
	e := new(cache.Entry)
	return e, json.Unmarshal(data, e)
}

func (r *remote) Put(_ context.Context, key cache.Key, e *cache.Entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server["answer:"+key.String()] = data // Redis: SET with PXAT e.Expires
	return nil
}

// Expire makes remote a cache.Expirer: the map doesn't forget by itself.
func (r *remote) Expire(_ context.Context, key cache.Key, _ time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.server, "answer:"+key.String())
}

// Two processes share the answers of one store, streams included.
func ExampleStore() {
	shared := &remote{server: map[string][]byte{}}
	model := &desk{}
	for process := range 2 {
		cached, err := cache.New(model, &cache.Options{Model: "desk-1", Store: shared})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print("process ", process, ": ")
		_, err = llms.GenerateFromSinglePrompt(context.Background(), cached, "When can I return it?",
			llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				fmt.Printf("%q ", chunk)
				return nil
			}))
		fmt.Println(err)
	}
	fmt.Println("asked the model", model.asked, "time")
	// Output:
	// process 0: "Within " "30 days." <nil>
	// process 1: "Within " "30 days." <nil>
	// asked the model 1 time
}
