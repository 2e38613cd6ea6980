// Package redis keeps the limits of package limit in Redis, so that many
// processes share them.
//
// # The lecture
//
// Lecture 8. Ten instances of a service with a limit of 60 a minute each are a
// limit of 600. To share one, the state must be in one place and every decision
// must be one step there: an instance that reads a counter and then writes it
// races with nine others.
//
// GCRA (see limit.Rate) keeps one number for each limit, and Redis runs a Lua
// script without interruption, with a clock of its own. So a decision over all
// the limits of a call, whole or not at all, is one round trip:
//
//	instance 1 ─┐  EVALSHA take, keys, rates, n   ┌───────────────┐
//	instance 2 ─┼────────────────────────────────▶│ Redis: now    │
//	instance 3 ─┘  ◀── granted? wait, remaining   │ key -> instant│
//	                                              └───────────────┘
//
// A key lives until its bucket would be full again, so idle tenants cost
// nothing, and a Redis that lost its memory has full buckets: at most one burst
// too much for each key.
//
// # Pitfalls
//
//   - When Redis is down the store returns an error, and limit.Options decides
//     what that means: local limits meanwhile (the default), or no call passes.
//     Give the client short timeouts, and no retries: MaxRetries -1 and
//     DialerRetries 1, whose default makes each call wait for five attempts to
//     connect. A limiter that waits is an outage.
//   - In a cluster the keys of one call must be in one slot: give
//     limit.Options.Prefix a hash tag, "{limit}".
//   - The instances' clocks don't matter, Redis' does.
//
// # Exercises
//
//  1. Write the same with INCR and EXPIRE. How much can pass in one second
//     around the end of a window?
//  2. Restart Redis while eight processes share a limit. How much more passes?
//
// # Further reading
//
//   - Brandur Leach, "Rate Limiting, Cells, and GCRA", 2015.
//   - Redis documentation, "Scripting with Lua": atomicity and effects.
package redis
