package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/cache"
)

// ErrOption is wrapped by the error of [New] if the client is nil.
var ErrOption = errors.New("cache/redis: invalid option")

// Options configure a [Store]. The zero value works.
type Options struct {
	// Prefix begins every key, so that programs can share one Redis. Default:
	// "answer:".
	Prefix string

	// Now is the clock that the time to live is computed with. Default: time.Now.
	Now func() time.Time
}

// A Store is a cache.Store and a cache.Locker in Redis. It is safe for concurrent use.
type Store struct {
	client redis.Cmdable
	o      Options
}

var (
	_ cache.Store  = (*Store)(nil)
	_ cache.Locker = (*Store)(nil)
	_ cache.Eraser = (*Store)(nil)
	_ cache.Walker = (*Store)(nil)
)

// New returns a store on client, a *redis.Client, *redis.ClusterClient or *redis.Ring.
// nil options mean the defaults. Its error wraps [ErrOption].
func New(client redis.Cmdable, o *Options) (*Store, error) {
	if client == nil {
		return nil, fmt.Errorf("%w: the client of New is nil", ErrOption)
	}
	s := &Store{client: client}
	if o != nil {
		s.o = *o
	}
	if s.o.Prefix == "" {
		s.o.Prefix = "answer:"
	}
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	return s, nil
}

// Get returns the entry of a key, or nil. An entry that can't be read is an error.
func (s *Store) Get(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	data, err := s.client.Get(ctx, s.o.Prefix+key.String()).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cache/redis: %w", err)
	}
	e := new(cache.Entry)
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("cache/redis: a damaged entry: %w", err)
	}
	return e, nil
}

// Put keeps an entry until cache.Entry.KeptUntil. One that is past that time is dropped.
func (s *Store) Put(ctx context.Context, key cache.Key, e *cache.Entry) error {
	if e == nil || e.Response == nil {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cache/redis: %w", err)
	}
	var life time.Duration // 0: Redis keeps it until it needs the memory
	if until := e.KeptUntil(); !until.IsZero() {
		if life = until.Sub(s.o.Now()); life < time.Millisecond {
			return s.Delete(ctx, key)
		}
	}
	if err := s.client.Set(ctx, s.o.Prefix+key.String(), data, life).Err(); err != nil {
		return fmt.Errorf("cache/redis: %w", err)
	}
	return nil
}

// Delete drops the entry of a key.
func (s *Store) Delete(ctx context.Context, key cache.Key) error {
	if err := s.client.Del(ctx, s.o.Prefix+key.String()).Err(); err != nil {
		return fmt.Errorf("cache/redis: %w", err)
	}
	return nil
}

// Clear drops all that is under the prefix, and returns the number of keys. It walks through
// all keys of the server, so it is for maintenance. A cluster's client asks one node
// only: call it with a client of each.
func (s *Store) Clear(ctx context.Context) (int64, error) {
	var n int64
	walk := s.client.Scan(ctx, 0, literal(s.o.Prefix)+"*", 1000).Iterator()
	for walk.Next(ctx) {
		dropped, err := s.client.Del(ctx, walk.Val()).Result()
		if err != nil {
			return n, fmt.Errorf("cache/redis: %w", err)
		}
		n += dropped
	}
	if err := walk.Err(); err != nil {
		return n, fmt.Errorf("cache/redis: %w", err)
	}
	return n, nil
}

// Erase reads all entries under the prefix and drops those of a selection, and those
// that can't be read, since what they hold is unknown. Keys that Put doesn't name so
// stay. It walks through all keys of the
// server, so it is for maintenance. A cluster's client asks one node only: erase with a
// store on a client of each.
func (s *Store) Erase(ctx context.Context, selection cache.Selection) (int, error) {
	return s.walk(ctx, func(_ cache.Key, e *cache.Entry) bool { return e == nil || selection.Includes(e) })
}

// Walk reads all entries under the prefix, as cache.Walker describes. What is said of
// Erase holds for it too.
func (s *Store) Walk(ctx context.Context, visit func(cache.Key, *cache.Entry) bool) error {
	_, err := s.walk(ctx, visit)
	return err
}

// walk visits the entries and returns how many it dropped.
func (s *Store) walk(ctx context.Context, visit func(cache.Key, *cache.Entry) bool) (int, error) {
	n := 0
	walk := s.client.Scan(ctx, 0, literal(s.o.Prefix)+"*", 1000).Iterator()
	for walk.Next(ctx) {
		name := walk.Val()
		rest := strings.TrimPrefix(name, s.o.Prefix)
		digits, err := hex.DecodeString(rest)
		if err != nil || len(digits) != len(cache.Key{}) || hex.EncodeToString(digits) != rest {
			continue // a lock, or another program's, whose prefix begins with this one
		}
		key := cache.Key(digits)
		data, err := s.client.Get(ctx, name).Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return n, fmt.Errorf("cache/redis: %w", err)
		}
		e := new(cache.Entry)
		if bad := json.Unmarshal(data, e); bad != nil {
			e = nil
		}
		if !visit(key, e) {
			continue
		}
		dropped, err := s.client.Del(ctx, name).Result()
		if err != nil {
			return n, fmt.Errorf("cache/redis: %w", err)
		}
		n += int(dropped)
	}
	if err := walk.Err(); err != nil {
		return n, fmt.Errorf("cache/redis: %w", err)
	}
	return n, nil
}

// literal escapes what a pattern of Redis gives a meaning to.
func literal(prefix string) string {
	var out []byte
	for i := range len(prefix) {
		switch prefix[i] {
		case '*', '?', '[', ']', '\\':
			out = append(out, '\\')
		}
		out = append(out, prefix[i])
	}
	return string(out)
}

// release drops a lock if it is still that of its owner.
var release = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`)

// unlockLimit is how long giving a lock back may take; the lock ends by itself anyway.
const unlockLimit = time.Second

// TryLock takes the lock of a key, as cache.Locker describes.
func (s *Store) TryLock(ctx context.Context, key cache.Key, atMost time.Duration) (unlock func(), ok bool, err error) {
	name, owner := s.o.Prefix+"lock:"+key.String(), rand.Text()
	ok, err = s.client.SetNX(ctx, name, owner, max(atMost, time.Millisecond)).Result()
	if err != nil {
		return nil, false, fmt.Errorf("cache/redis: %w", err)
	}
	if !ok {
		return nil, false, nil
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockLimit)
		defer cancel()
		_ = release.Run(ctx, s.client, []string{name}, owner).Err() // the lock ends by itself
	}, true, nil
}
