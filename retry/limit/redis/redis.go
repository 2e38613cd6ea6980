package redis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/limit"
)

// A Store is a limit.Store in Redis. It is safe for concurrent use.
type Store struct{ client redis.Scripter }

// ErrOption is wrapped by the error of [New] if the client is nil.
var ErrOption = errors.New("limit/redis: invalid option")

// New returns a store on client, a *redis.Client, *redis.ClusterClient or
// *redis.Ring. It fails with [ErrOption].
func New(client redis.Scripter) (*Store, error) {
	if client == nil {
		return nil, fmt.Errorf("%w: the client of New is nil", ErrOption)
	}
	return &Store{client}, nil
}

// Numbers in Lua are doubles: instants are whole microseconds, of which 2^53
// last until the year 2255.
const clock = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
`

// For each key there are two arguments: the time of n units, or a negative number
// for a look at the next unit, and the time of a whole bucket. The last argument is
// how far ahead to reserve. The answer is: granted, wait, the deciding claim, its
// reset. A wait of -1 means never.
var take = redis.NewScript(clock + `
local ahead = tonumber(ARGV[#ARGV])
local tats, ok, wait, claim, reset = {}, 1, 0, 1, 0
for i, key in ipairs(KEYS) do
  local increment, whole = tonumber(ARGV[2*i-1]), tonumber(ARGV[2*i])
  local tat = math.max(tonumber(redis.call('GET', key) or 0), now)
  local new = tat + math.abs(increment)
  local w = new - whole - now
  local r = tat - now
  if increment < 0 then
    new = tat
    if ok == 1 and (i == 1 or w > wait) then wait, claim, reset = math.max(w, 0), i, r end
  elseif increment > whole then
    if ok == 1 or wait ~= -1 then ok, wait, claim, reset = 0, -1, i, r end
  elseif w > ahead then
    if ok == 1 or (wait ~= -1 and w > wait) then ok, wait, claim, reset = 0, w, i, r end
  elseif ok == 1 and (i == 1 or w > wait) then
    wait, claim, reset = w, i, new - now
  end
  tats[i] = new
end
if ok == 1 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', tats[i]), 'PX', math.ceil((tats[i] - now) / 1000) + 1)
  end
end
return {ok, string.format('%.0f', wait), claim, string.format('%.0f', reset)}
`)

// A debt is at most 125 years, as in limit.Memory, so that sums stay exact and
// waits fit into a time.Duration.
var charge = redis.NewScript(clock + `
local far = now + 125 * 365 * 24 * 3600 * 1000000
for i, key in ipairs(KEYS) do
  local tat = math.max(tonumber(redis.call('GET', key) or 0), now) + tonumber(ARGV[i])
  tat = math.min(tat, far)
  if tat <= now then
    redis.call('DEL', key)
  else
    redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1)
  end
end
return 1
`)

// Take implements limit.Store.
func (s *Store) Take(ctx context.Context, claims []limit.Claim, ahead time.Duration) (limit.Decision, error) {
	var keys []string
	var args []any
	var index []int
	for i, c := range claims {
		if !(c.N >= 0) {
			return limit.Decision{}, fmt.Errorf("%w: Claim.N of %q, claim %d, is %v: want 0 or more", limit.ErrOption, c.Key, i, c.N)
		}
		if c.Rate.IsZero() {
			continue
		}
		keys = append(keys, c.Key)
		increment := micros(c.Rate.Span(c.N))
		if c.N == 0 {
			increment = -micros(c.Rate.Span(1))
		}
		args = append(args, increment, micros(c.Rate.Span(c.Rate.Capacity())))
		index = append(index, i)
	}
	if len(keys) == 0 {
		return limit.Decision{OK: true}, nil
	}
	reply, err := take.Run(ctx, s.client, keys, append(args, micros(max(ahead, 0)))...).Int64Slice()
	if err != nil {
		return limit.Decision{}, fmt.Errorf("limit/redis: %w", err)
	}
	if len(reply) != 4 || reply[2] < 1 || reply[2] > int64(len(index)) {
		return limit.Decision{}, fmt.Errorf("limit/redis: the script returned %v", reply)
	}
	d := limit.Decision{OK: reply[0] == 1, Claim: index[reply[2]-1], Reset: max(0, time.Duration(reply[3])*time.Microsecond)}
	d.Wait = max(0, time.Duration(reply[1])*time.Microsecond)
	if !d.OK && reply[1] == -1 {
		d.Wait = limit.Never
	}
	rate := claims[d.Claim].Rate
	d.Limit = rate.Capacity()
	d.Remaining = max(0, rate.Units(rate.Span(d.Limit)-d.Reset, time.Microsecond))
	return d, nil
}

// Charge implements limit.Store.
func (s *Store) Charge(ctx context.Context, claims []limit.Claim) error {
	var keys []string
	var args []any
	for i, c := range claims {
		if math.IsNaN(c.N) {
			return fmt.Errorf("%w: Claim.N of %q, claim %d, is NaN: want a number", limit.ErrOption, c.Key, i)
		}
		if !c.Rate.IsZero() {
			keys = append(keys, c.Key)
			args = append(args, micros(c.Rate.Span(c.N)))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	if err := charge.Run(ctx, s.client, keys, args...).Err(); err != nil {
		return fmt.Errorf("limit/redis: %w", err)
	}
	return nil
}

// micros keeps the fraction: a million tokens a second are one each.
func micros(d time.Duration) float64 { return float64(d) / 1e3 }

var _ limit.Store = (*Store)(nil)
