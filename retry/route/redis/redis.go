package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrOption is wrapped by the error of [New] if the client is nil or an option can't
// work.
var ErrOption = errors.New("route/redis: invalid option")

// Options are the settings of a [Store].
type Options struct {
	// Prefix begins the keys. Default: "route:canary:".
	Prefix string
	// Keep is how long a rollout that no replica touches is kept. Default: 30 days.
	Keep time.Duration
}

// A Client is what a Store needs: a *redis.Client, *redis.ClusterClient or *redis.Ring.
type Client interface {
	redis.Scripter
	HMGet(ctx context.Context, key string, fields ...string) *redis.SliceCmd
}

// A Store is a route.CanaryStore in Redis. It is safe for concurrent use.
type Store struct {
	client Client
	o      Options
}

// New returns a store on a client; nil options mean the defaults. It fails with
// [ErrOption].
func New(client Client, o *Options) (*Store, error) {
	if client == nil {
		return nil, fmt.Errorf("%w: the client of New is nil", ErrOption)
	}
	s := &Store{client: client}
	if o != nil {
		s.o = *o
	}
	if s.o.Prefix == "" {
		s.o.Prefix = "route:canary:"
	}
	if s.o.Keep < 0 {
		return nil, fmt.Errorf("%w: Options.Keep is %v: want 0 (the default, 30 days) or more", ErrOption, s.o.Keep)
	}
	if s.o.Keep == 0 {
		s.o.Keep = 30 * 24 * time.Hour
	}
	return s, nil
}

// Load implements route.CanaryStore.
func (s *Store) Load(ctx context.Context, name string) (data []byte, revision int64, err error) {
	values, err := s.client.HMGet(ctx, s.o.Prefix+name, "state", "revision").Result()
	if err != nil {
		return nil, 0, err
	}
	state, there := values[0].(string)
	number, _ := values[1].(string)
	if !there {
		return nil, 0, nil
	}
	if revision, err = strconv.ParseInt(number, 10, 64); err != nil || revision < 1 {
		return nil, 0, fmt.Errorf("route/redis: the revision of %q is %q", s.o.Prefix+name, number)
	}
	return []byte(state), revision, nil
}

// save writes a state if its revision is still ARGV[1].
var save = redis.NewScript(`
local revision = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if revision ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'revision', revision + 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// Save implements route.CanaryStore.
func (s *Store) Save(ctx context.Context, name string, data []byte, before int64) (saved bool, err error) {
	n, err := save.Run(ctx, s.client, []string{s.o.Prefix + name}, before, data, s.o.Keep.Milliseconds()).Int()
	return n == 1, err
}
