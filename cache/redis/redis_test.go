package redis

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
)

// open returns a store of its own prefix on the server of REDIS_URL.
func open(t *testing.T) (*Store, *redis.Client) {
	t.Helper()
	url := os.Getenv("REDIS_URL")
	if url == "" {
		t.Skip("REDIS_URL names no server")
	}
	o, err := redis.ParseURL(url)
	require.NoError(t, err)
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = time.Minute, time.Minute, time.Minute, time.Minute // the machine may be busy
	c := redis.NewClient(o)
	s, err := New(c, &Options{Prefix: fmt.Sprintf("test[%d]*:", time.Now().UnixNano())})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := s.Clear(context.Background())
		require.NoError(t, err)
		_ = c.Close()
	})
	return s, c
}

// slow answers after a pause, and counts. The pause of a call ends when pause returns.
type slow struct {
	calls atomic.Int64
	stop  string
	pause func(call int64)
}

func (s *slow) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	n := s.calls.Add(1)
	if s.pause != nil {
		s.pause(n)
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: fmt.Sprint(n, " \xff"), StopReason: s.stop}}}, nil
}

func (s *slow) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

func TestNew(t *testing.T) {
	_, err := New(nil, nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestGetPut(t *testing.T) {
	s, c := open(t)
	ctx := t.Context()
	e, err := s.Get(ctx, cache.Key{1})
	require.NoError(t, err)
	require.Nil(t, e)
	answer := &cache.Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "a\xff"}}}, Model: "m",
		Expires: time.Now().Add(time.Minute), Keep: time.Now().Add(time.Hour)}
	require.NoError(t, s.Put(ctx, cache.Key{1}, answer))
	e, err = s.Get(ctx, cache.Key{1})
	require.NoError(t, err)
	require.Equal(t, answer.Response, e.Response)
	require.WithinDuration(t, answer.Keep, e.Keep, 0)
	life, err := c.PTTL(ctx, s.o.Prefix+cache.Key{1}.String()).Result()
	require.NoError(t, err)
	require.InDelta(t, 60, life.Minutes(), 1, "kept for stale use")

	answer.Expires, answer.Keep = time.Now().Add(-time.Minute), time.Time{}
	require.NoError(t, s.Put(ctx, cache.Key{1}, answer))
	e, err = s.Get(ctx, cache.Key{1})
	require.NoError(t, err)
	require.Nil(t, e, "the older answer stayed")

	require.NoError(t, c.Set(ctx, s.o.Prefix+cache.Key{2}.String(), "{", 0).Err())
	_, err = s.Get(ctx, cache.Key{2})
	require.ErrorContains(t, err, "damaged")
	require.NoError(t, s.Put(ctx, cache.Key{3}, nil))
	n, err := s.Clear(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func TestLock(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	unlock, ok, err := s.TryLock(ctx, cache.Key{1}, time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	_, ok, err = s.TryLock(ctx, cache.Key{1}, time.Minute)
	require.NoError(t, err)
	require.False(t, ok)
	unlock()
	late, ok, err := s.TryLock(ctx, cache.Key{1}, 50*time.Millisecond)
	require.NoError(t, err)
	require.True(t, ok)
	time.Sleep(80 * time.Millisecond) // it ends by itself
	_, ok, err = s.TryLock(ctx, cache.Key{1}, time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	late() // must not give back the other's lock
	_, ok, err = s.TryLock(ctx, cache.Key{1}, time.Minute)
	require.NoError(t, err)
	require.False(t, ok)
}

const processes = 20

// refused is a store that calls once when a lock of it was first refused.
type refused struct {
	*Store
	once  sync.Once
	first func()
}

func (r *refused) TryLock(ctx context.Context, key cache.Key, atMost time.Duration) (func(), bool, error) {
	unlock, ok, err := r.Store.TryLock(ctx, key, atMost)
	if err == nil && !ok {
		r.once.Do(r.first)
	}
	return unlock, ok, err
}

// askTogether asks through many models. Each is a process of its own: they share nothing
// but Redis. The model answers the first of them when the others wait for it.
func askTogether(t *testing.T, s *Store, next *slow, then func(call int64)) {
	t.Helper()
	var wg, waiting sync.WaitGroup
	waiting.Add(processes - 1)
	next.pause = func(call int64) {
		if call == 1 {
			waiting.Wait()
		} else {
			then(call)
		}
	}
	for range processes {
		m, err := cache.New(next, &cache.Options{Store: &refused{Store: s, first: waiting.Done}, Model: "m", LockWait: time.Hour})
		require.NoError(t, err)
		wg.Go(func() {
			r, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")})
			if err != nil || len(r.Choices) != 1 {
				t.Error(r, err)
			}
		})
	}
	wg.Wait()
}

func TestStampede(t *testing.T) {
	s, _ := open(t)
	next := &slow{stop: "stop"}
	askTogether(t, s, next, func(int64) { t.Error("asked twice") })
	require.EqualValues(t, 1, next.calls.Load())
}

// An answer that may not be stored: the others ask at the same time, not one after the
// other.
func TestStampedeWithoutAnAnswer(t *testing.T) {
	s, _ := open(t)
	next := &slow{stop: "length"}
	together := make(chan struct{})
	askTogether(t, s, next, func(call int64) {
		if call == processes {
			close(together)
		}
		select {
		case <-together:
		case <-time.After(time.Minute):
			t.Error("the others are not asking at the same time")
		}
	})
	require.EqualValues(t, processes, next.calls.Load())
}

// A Redis that is down never fails a call.
func TestDown(t *testing.T) {
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1, DialTimeout: 50 * time.Millisecond})
	defer c.Close()
	s, err := New(c, nil)
	require.NoError(t, err)
	next := &slow{stop: "stop"}
	m, err := cache.New(next, &cache.Options{Store: s, Model: "m"})
	require.NoError(t, err)
	r, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")})
	require.NoError(t, err)
	require.Equal(t, "1 \xff", r.Choices[0].Content)
	require.EqualValues(t, 3, m.Stats().StoreErrors, "get, lock, put")
}

func TestErase(t *testing.T) {
	s, c := open(t)
	ctx := t.Context()
	for i, name := range []string{"ann", "ann", "bob"} {
		require.NoError(t, s.Put(ctx, cache.Key{byte(i)}, &cache.Entry{Attributes: map[string]string{"user": name},
			Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "a"}}}}))
	}
	require.NoError(t, c.Set(ctx, s.o.Prefix+cache.Key{8}.String(), "{", 0).Err())
	// Of other programs, whose prefixes begin with this one.
	require.NoError(t, c.Set(ctx, s.o.Prefix+"counter", "7", 0).Err())
	require.NoError(t, c.HSet(ctx, s.o.Prefix+"users", "ann", "1").Err())
	unlock, ok, err := s.TryLock(ctx, cache.Key{9}, time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	defer unlock()
	n, err := s.Erase(ctx, cache.Selection{Attributes: map[string]string{"user": "ann"}})
	require.NoError(t, err)
	require.Equal(t, 3, n, "two of Ann, and a damaged one")
	others, err := c.Exists(ctx, s.o.Prefix+"counter", s.o.Prefix+"users").Result()
	require.NoError(t, err)
	require.EqualValues(t, 2, others, "what isn't an answer stays")
	e, err := s.Get(ctx, cache.Key{2})
	require.NoError(t, err)
	require.NotNil(t, e)
	_, ok, err = s.TryLock(ctx, cache.Key{9}, time.Minute)
	require.NoError(t, err)
	require.False(t, ok, "locks stay")
}
