// Package redis keeps the limits of package limit in Redis, so that many processes
// share them.
//
// # The problem
//
// Ten instances of a service with a limit of 60 a minute each are together a limit of
// 600 (lecture 8). To share one limit, its state must be in one place, and each
// decision must be one step there. An instance that reads a counter and then writes it
// races with nine others: two of them read 59, and both write 60.
//
// # The idea
//
// GCRA (see limit.Rate) keeps one number for each limit. Redis runs a Lua script
// without interruption, and with a clock of its own. So one script decides over all
// the limits of a call, all or none of them, in one round trip:
//
//	instance 1 ─┐  EVALSHA take, keys, rates, n   ┌───────────────┐
//	instance 2 ─┼────────────────────────────────▶│ Redis: now    │
//	instance 3 ─┘  ◀── granted? wait, remaining   │ key -> instant│
//	                                              └───────────────┘
//
// A key exists until its bucket would be full again, so idle tenants cost nothing. A
// Redis that lost its memory has full buckets: at most one burst too much passes for
// each key.
//
// # Terms
//
//   - Redis: Redis is a database in memory that many processes can use over the
//     network.
//   - Lua script (also: EVALSHA, EVAL): A Lua script is a small program that Redis
//     runs as one step, so that no other command comes between its reads and writes.
//   - Race condition (also: race): A race condition is a mistake that appears only
//     when two processes do something at the same time, such as reading a counter
//     before the other has written it.
//   - Hash tag: A hash tag is a part of a key in braces, such as {limit}. In a Redis
//     cluster, keys with the same hash tag are on the same node.
//
// # Pitfalls
//
//   - Don't give the Redis client long timeouts or retries: because a limiter that
//     waits is an outage. Set short timeouts, MaxRetries -1 and DialerRetries 1; by
//     default each call waits for five attempts to connect.
//   - Don't spread the keys of one call over a cluster: because a script needs them in
//     one slot. Give limit.Options.Prefix a hash tag, "{limit}".
//   - Don't forget to choose what happens when Redis is down: the store returns an
//     error, and limit.Options decides. By default each process keeps local limits
//     meanwhile; with RefuseOnStoreFailure no call passes.
//
// # Questions
//
// Why use Redis for rate limits? Redis is used for rate limits when several processes
// must share one limit. It is fast, runs a script as one step, and deletes old keys by
// itself. One process alone needs no Redis: limit.Memory is enough.
//
// Do the clocks of my servers matter? The clocks of your servers don't matter, because
// the script uses Redis' clock.
//
// Why not INCR and EXPIRE? INCR and EXPIRE count in fixed windows, so twice the limit
// can pass around the end of a window. They also can't take several limits together,
// and can't give back what was reserved too much.
//
// # Exercises
//
//  1. Write the same with INCR and EXPIRE. How much can pass in one second around the
//     end of a window?
//  2. Restart Redis while eight processes share a limit. How much more passes?
//
// # Further reading
//
//   - Brandur Leach, "Rate Limiting, Cells, and GCRA", 2015.
//   - Redis documentation, "Scripting with Lua": atomicity and effects.
package redis
